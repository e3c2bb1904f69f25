"""BART's pairs of files, and files that stand beside k-space: coil maps and trajectories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.case import Expected, Fault, Format, Place
from fuzz_parts.made_files import GRIDDING, cartesian, mat_of, npz_of, radial
from hypothesis import strategies as st

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import KSpace

_HEADERS: list[tuple[str, Expected]] = [
    ("# Dimensions\n100000 100000 100000 1\n", "refused"),
    ("# Dimensions\n-6 -8 1 2 1 1 1 1 1 1 2\n", "refused"),
    ("# Dimensions\n0 8 1 2 1 1 1 1 1 1 2\n", "refused"),
    ("# Dimensions\n6 8 1 2 1 1 1 1 1 1 2 1 1 1 1 1 1 1 1\n", "refused"),
    ("# Dimensions\n6.0 8 1 2 1 1 1 1 1 1 2\n", "refused"),
    ("# Dimensions\n\n", "refused"),
    ("# Dimensions", "refused"),
    ("6 8 1 2 1 1 1 1 1 1 2\n", "refused"),
    ("# Dimensions\n6 8 1 2 1 1 1 1 1 1 2 " + "1 " * 4 + "\n# Command\n\x1b[2J\n", "same"),
    ("# Dimensions\r\n6 8 1 2 1 1 1 1 1 1 2\r\n", "same"),
    ("# Dimensions\n" + "9" * 5000 + "\n", "refused"),
    ("# Dimensions\n" + "1 " * 100_000 + "\n", "refused"),
    ("# Dimensions\n6 8 1 1 2 1 1 1 1 1 2\n", "refused"),
    ("# Dimensions\n6 1 8 2 1 1 1 1 1 1 2\n", "any"),
    ("# Dimensions\n192\n", "any"),
    ("# Dimensions\n\u0666 8 1 2 1 1 1 1 1 1 2\n", "any"),
]


def _header(place: Place, value: tuple[str, Expected]) -> Expected:
    place.given.with_suffix(".hdr").write_text(value[0], encoding="utf-8", newline="")
    return value[1]


def _numbers(place: Place, word: str) -> Expected:
    values = np.fromfile(place.given, np.complex64)
    values[len(values) // 3] = float(word)
    values.tofile(place.given)
    return "any" if word == "0.5" else "refused"


def _lacks(place: Place, suffix: str) -> None:
    place.given.with_suffix(suffix).unlink()


def _folder(place: Place, suffix: str) -> None:
    place.given.with_suffix(suffix).unlink()
    place.given.with_suffix(suffix).mkdir()


BART_FAULTS = {
    "header": Fault(_header, st.sampled_from(_HEADERS)),
    "value": Fault(_numbers, st.sampled_from(["nan", "inf", "0.5"])),
    "one of the pair is missing": Fault(_lacks, st.sampled_from([".hdr"]), "refused"),
    "one of the pair is a folder": Fault(_folder, st.sampled_from([".hdr"]), "refused"),
}


def _bart(folder: Path, make: Any) -> Path:
    arrays = make()
    rest = {name: arrays[name] for name in ("trajectory",) if name in arrays}
    shape = tuple(arrays["image_shape"]) if rest else None
    io.write(folder / "scan.cfl", KSpace(arrays["samples"], np.eye(4), np.arange(2.0), image_shape=shape, **rest))
    return folder / "scan.cfl"


def _maps() -> np.ndarray:
    random = np.random.default_rng(5)
    return (random.normal(size=(2, 1, 8, 6)) + 1j * random.normal(size=(2, 1, 8, 6))).astype(np.complex64)


def _with(name: str, write: Any, make: Any) -> Any:
    def good(folder: Path) -> Path:
        write(folder / name)
        return npz_of(folder / "scan.npz", make())

    return good


def _replaced(name: str, array: Any) -> Any:
    """The side file holds something else."""

    def apply(place: Place, way: str) -> Expected:
        found = np.asarray(array())
        made: dict[str, Any] = {
            "not a number": lambda: np.where(np.arange(found.size).reshape(found.shape) == 3, np.nan, found),
            "nothing": lambda: found[:0],
            "turned round": lambda: found.T,
            "one axis less": lambda: found[0],
            "one number": lambda: found.ravel()[0],
            "texts": lambda: found.astype("U4"),
            "huge": lambda: found * 1e30,
            "beyond single precision": lambda: found.astype(np.result_type(found, np.float64)) * 1e60,
            "zeros": lambda: found * 0,
            "complex": lambda: found + 1j,
            "twice": lambda: np.concatenate([found, found]),
            "truth values": lambda: found.real > 0,
            "other order of bytes": lambda: found.astype(found.dtype.newbyteorder(">")),
        }
        np.save(place.folder / name, made[way]())
        wrong = ("not a number", "nothing", "turned round", "one number", "texts", "beyond single precision", "twice")
        return "refused" if way in wrong else "same" if way.startswith("other") else "any"

    ways = ("not a number", "nothing", "turned round", "one axis less", "one number", "texts", "huge", "zeros")
    more = ("beyond single precision", "complex", "twice", "truth values", "other order of bytes")
    return Fault(apply, st.sampled_from(ways + more))


def formats() -> list[Format]:
    """All of them."""
    shots = {name: value for name, value in radial().items() if name not in ("trajectory", "density", "image_shape")}
    axes = ["frames", "coils", "shots", "readout"]

    def spokes() -> dict[str, Any]:
        return {"kspace": shots["samples"], "times_s": shots["times_s"]}

    def by_options(words: list[str]) -> tuple[str, ...]:
        return ("--axes", ",".join(axes), "--variable", "kspace", *words)

    def maps_cfl(path: Path) -> None:
        from DynamicMRIReconLib.io.bart_files import save_cfl

        save_cfl(path, _maps().transpose(3, 2, 1, 0))

    side = [
        ("coil maps npy", "maps.npy", lambda path: np.save(path, _maps()), cartesian, "--coil-maps", _maps),
        (
            "coil maps npz",
            "maps.npz",
            lambda path: npz_of(path, {"coil_maps": _maps()}),
            cartesian,
            "--coil-maps",
            None,
        ),
        ("coil maps cfl", "maps.cfl", maps_cfl, cartesian, "--coil-maps", None),
        (
            *("trajectory npy", "k.npy", lambda path: np.save(path, radial()["trajectory"]), spokes, "--trajectory"),
            lambda: radial()["trajectory"],
        ),
        (
            *("trajectory mat", "k.mat", lambda path: mat_of(path, {"trajectory": radial()["trajectory"]}), spokes),
            *("--trajectory", None),
        ),
    ]
    found = [
        Format("BART", lambda f: _bart(f, cartesian), ("scan.cfl", "scan.hdr", "scan.hdr"), BART_FAULTS, job=GRIDDING),
        Format(
            *("BART radial", lambda f: _bart(f, radial), ("scan_traj.cfl", "scan_traj.hdr", "scan.cfl", "scan.hdr")),
            {},
            job=GRIDDING,
        ),
    ]
    for name, file, write, make, option, array in side:
        options = ("@" + option, file) if make is cartesian else (*by_options([]), "@" + option, file)
        targets = (file, "maps.hdr") if file.endswith(".cfl") else (file,)
        faults = {"other content": _replaced(file, array)} if array is not None else {}
        found.append(Format(name, _with(file, write, make), targets, faults, options=options))
    return found
