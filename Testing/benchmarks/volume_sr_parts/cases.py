"""Volumes with a known truth and the stacks that are simulated from them; the real fetal stacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.phantoms.brain import BrainScene

#: of the cube that is cut out: two CPU cores do not finish the whole volumes in sensible time
SIZE = 48
FACTORS = (4, 8)


@dataclass(frozen=True)
class Case:
    """A truth and how many of its planes a slice averages."""

    name: str
    title: str
    factor: int


def cases() -> list[Case]:
    """All of them."""
    titles = {
        "mni": "MNI152 average brain, averaged to 2 mm",
        "phantom": "brain phantom with folded cortex, 2.5 mm",
    }
    return [Case(name, f"{title}, k = {k}", k) for name, title in titles.items() for k in FACTORS]


def truth_of(name: str, data: Path) -> ImageSeries:
    """The cube of ``SIZE`` voxels in the middle of the volume."""
    if name == "phantom":
        scene, shape = BrainScene(), (72, 88, 88)
        return _cube(ImageSeries(np.abs(scene.render([0.0], shape)), scene.geometry(shape).affine, np.zeros(1)))
    volume = dmr.read(data / "brain_volume" / "MNI152_2009_template.nii.gz")
    even = [n // 2 * 2 for n in volume.array.shape[1:]]
    array = volume.array[0, : even[0], : even[1], : even[2]]
    z, y, x = (n // 2 for n in even)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.geometry.to_ras((0.5, 0.5, 0.5))
    affine[:3, :3] *= 2
    return _cube(ImageSeries(array.reshape(1, z, 2, y, 2, x, 2).mean((2, 4, 6)), affine, np.zeros(1)))


def _cube(volume: ImageSeries) -> ImageSeries:
    first = [(n - SIZE) // 2 for n in volume.array.shape[1:]]
    window = tuple(slice(f, f + SIZE) for f in first)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.geometry.to_ras(first[::-1])
    return ImageSeries(volume.array[(slice(None), *window)].copy(), affine, volume.times_s)


def write_case(case: Case, data: Path, folder: Path) -> Path:
    """``truth.nrrd`` and ``stack-1.nrrd`` to ``stack-3.nrrd`` in a folder of the case, once; gives the folder."""
    place = folder / f"{case.name}-{case.factor}"
    if not (place / "stack-3.nrrd").exists():
        place.mkdir(parents=True, exist_ok=True)
        truth = truth_of(case.name, data)
        dmr.write(place / "truth.nrrd", truth)
        for axis in (0, 1, 2):
            dmr.write(place / f"stack-{axis + 1}.nrrd", thick_slices(truth, axis, case.factor))
    return place


def fetal_files(data: Path) -> tuple[list[Path], list[Path], Path]:
    """Stacks, their masks, and the published volume."""
    root = data / "fetal_stacks"
    stacks = sorted((root / "data" / "sub-01" / "anat").glob("*_T2w.nii.gz"))
    masks = sorted((root / "data" / "derivatives" / "manual_masks" / "sub-01" / "anat").glob("*_mask.nii.gz"))
    return stacks, masks, root / "notebooks" / "data" / "sub-01_rec-SR_id-1_T2w.nii.gz"
