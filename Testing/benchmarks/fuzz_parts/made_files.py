"""Good files of arrays, and the faults that every format shares: pickles and odd names."""

from __future__ import annotations

import pickle
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.array_faults import Arrays
from fuzz_parts.case import Expected, Fault, Place
from hypothesis import strategies as st

from DynamicMRIReconLib.data import ImageSeries

GRIDDING = {"method": "gridding"}
#: makes k-space of a series first
OF_SERIES = {
    "method": "gridding",
    "simulate": {"trajectory": "cartesian", "matrix": 16, "coils": 2, "acceleration": 1.0, "central_lines": 4},
}


class Runs:
    """What a pickle would do to whoever loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('a file ran code')",))


def cartesian() -> Arrays:
    """2 frames, 2 coils, a slice of 8 x 6."""
    random = np.random.default_rng(1)
    samples = random.normal(size=(2, 2, 1, 8, 6)) + 1j * random.normal(size=(2, 2, 1, 8, 6))
    affine = np.array([[0, 0, 5.0, -3], [1.5, 0, 0, 7], [0, 1.25, 0, 11], [0, 0, 0, 1]])
    times, notes = np.array([0.02, 0.07]), np.array('{"source": "scan"}')
    return {"samples": samples.astype(np.complex64), "affine": affine, "times_s": times, "metadata": notes}


def radial() -> Arrays:
    """2 frames, 2 coils, 5 spokes of 16."""
    random = np.random.default_rng(2)
    samples = random.normal(size=(2, 2, 5, 16)) + 1j * random.normal(size=(2, 2, 5, 16))
    angle = np.arange(10).reshape(2, 5, 1) * 1.94
    radius = (np.arange(16) - 8) / 2
    trajectory = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).astype(np.float32)
    rest = {name: value for name, value in cartesian().items() if name != "samples"}
    return {
        "samples": samples.astype(np.complex64),
        "trajectory": trajectory,
        "density": np.abs(trajectory[..., 0]) + np.float32(0.1),
        "image_shape": np.array([1, 8, 8]),
        **rest,
    }


def series() -> Arrays:
    """3 frames of 2 slices of 7 x 9."""
    random = np.random.default_rng(3)
    rest = {name: value for name, value in cartesian().items() if name != "samples"}
    synthetic = np.array([False, True, False])
    array = random.random((3, 2, 7, 9), np.float32)
    return {"array": array, "synthetic": synthetic, **rest, "times_s": np.array([0, 0.04, 0.09])}


def npz_of(path: Path, arrays: Arrays) -> Path:
    """Write a ``.npz`` file; objects are pickled, as numpy does when it is let."""
    with path.open("wb") as file:
        np.savez(file, **{name: np.asarray(value) for name, value in arrays.items()}, allow_pickle=True)
    return path


def mat_of(path: Path, arrays: Arrays) -> Path:
    """Write a MATLAB 5 file."""
    from scipy.io import savemat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        savemat(path, {name: np.asarray(value) for name, value in arrays.items()}, do_compression=True)
    return path


def mat73_of(path: Path, arrays: Arrays) -> Path:
    """Write a MATLAB 7.3 file: HDF5 with the axes turned round, and complex numbers as pairs."""
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in arrays.items():
            array = np.asarray(value)
            if array.dtype.kind == "U":
                continue
            if array.dtype.kind == "c":
                pair = np.dtype([("real", array.real.dtype), ("imag", array.real.dtype)])
                both = np.zeros(array.shape, pair)
                both["real"], both["imag"] = array.real, array.imag
                array = both
            file.create_dataset(name, data=np.transpose(array), chunks=True if array.ndim else None)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + struct.pack("<H", 0x200) + b"IM")
    return path


def whole_series() -> ImageSeries:
    """The same as the library has it."""
    arrays = series()
    return ImageSeries(arrays["array"], arrays["affine"], arrays["times_s"], synthetic=arrays["synthetic"])


def _only_pickle(place: Place, protocol: int) -> None:
    place.given.write_bytes(pickle.dumps(Runs(), protocol))


PICKLES = Fault(_only_pickle, st.integers(0, 5), "refused")


def odd_names(suffix: str) -> Fault:
    """Names that files can have, and one that no file can have."""

    def rename(place: Place, stem: str) -> Expected:
        target = place.folder / f"{stem}{suffix}"
        try:
            place.given.rename(target)
        except OSError:
            place.given = target
            return "refused"
        place.given = target
        return "same"

    stems = ["schön 心臓 🫀", "-dash", "a" * 240, "a" * 5000, "with\nline", "{x} %s %d", "\u202edrawkcab", "tab\t", "'"]
    return Fault(rename, st.sampled_from(stems), "any")
