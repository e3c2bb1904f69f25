"""Volumes with a known truth and the stacks that are simulated from them; the real fetal stacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.phantoms.brain import BrainScene

#: of the cube that is cut out where nothing moves: two CPU cores take too long for many runs of whole volumes
SIZE = 48
#: of the one that is cut out of the volume at its full resolution
FINE_SIZE = 96
FACTORS = (4, 8)
#: standard deviation of the noise over the largest value, without and with motion
NOISE, NOISE_MOVED = 0.02, {4: 0.01, 8: 0.01}
#: of the patient before the second and the third stack: degrees and mm
TURNS_DEGREES, SHIFTS_MM = ((0, 0, 0), (5, -4, 6), (-3, 5, -4)), ((0, 0, 0), (4, -3, 5), (-5, 2, 3))
#: voxel size where the whole brain is taken: a finer one has more voxels than two CPU cores finish in sensible time
WHOLE_MM = 3
_SEED = 3


@dataclass(frozen=True)
class Case:
    """A truth, how many of its planes a slice averages, the noise, and whether the patient moved between stacks."""

    name: str
    title: str
    factor: int
    noise: float = 0.0
    moved: bool = False

    @property
    def folder(self) -> str:
        """Its name among the benchmark's files."""
        return f"{self.name}-{self.factor}" + (f"-noise{100 * self.noise:g}" if self.noise else "")


def cases() -> list[Case]:
    """All of them."""
    titles = {
        "mni": "MNI152 average brain, averaged to 2 mm",
        "phantom": "brain phantom with folded cortex, 2.5 mm",
        "fine": f"MNI152 average brain at its full resolution of 1 mm, {FINE_SIZE} voxels a side",
    }
    found = [Case(name, f"{title}, k = {k}", k) for name, title in titles.items() for k in FACTORS]
    found += [
        Case(name, f"{title}, k = {k}, {100 * NOISE:g} % noise", k, NOISE)
        for name, title in titles.items()
        for k in FACTORS
        if name != "fine"
    ]
    title = f"whole MNI152 average brain, averaged to {WHOLE_MM} mm"
    return found + [
        Case("moved", f"{title}, k = {k}, {100 * noise:g} % noise, turned and shifted", k, noise, moved=True)
        for k, noise in NOISE_MOVED.items()
    ]


def motion_of(number: int) -> np.ndarray:
    """(4, 4) RAS: how the patient lay when stack ``number``, from 0, was acquired; about RAS 0."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", TURNS_DEGREES[number], degrees=True).as_matrix()
    matrix[:3, 3] = SHIFTS_MM[number]
    return matrix


def truth_of(name: str, data: Path) -> ImageSeries:
    """The cube in the middle of the volume; of ``moved`` the whole volume."""
    if name == "phantom":
        scene, shape = BrainScene(), (72, 88, 88)
        return _cube(ImageSeries(np.abs(scene.render([0.0], shape)), scene.geometry(shape).affine, np.zeros(1)))
    if name == "moved":
        return _brain(data, np.eye(4), WHOLE_MM)
    if name == "fine":
        return _cube(_brain(data, np.eye(4), 1), FINE_SIZE)
    return _cube(_brain(data, np.eye(4), 2))


def _brain(data: Path, motion: np.ndarray, planes: int) -> ImageSeries:
    """The brain, moved by ``motion`` at its full resolution of 1 mm, then averaged over ``planes`` along each axis."""
    volume = dmr.read(data / "brain_volume" / "MNI152_2009_template.nii.gz")
    whole = volume.array[0]
    if not np.allclose(motion, np.eye(4)):
        inverse = np.linalg.inv(volume.affine) @ np.linalg.inv(motion) @ volume.affine
        matrix, offset = inverse[:3, :3][::-1, ::-1], inverse[:3, 3][::-1]
        whole = np.maximum(affine_transform(whole, matrix, offset, order=3), 0)
    z, y, x = (n // planes for n in whole.shape)
    array = whole[: z * planes, : y * planes, : x * planes].reshape(1, z, planes, y, planes, x, planes)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.geometry.to_ras([(planes - 1) / 2] * 3)
    affine[:3, :3] *= planes
    return ImageSeries(array.mean((2, 4, 6)), affine, np.zeros(1))


def _cube(volume: ImageSeries, size: int = SIZE) -> ImageSeries:
    first = [(n - size) // 2 for n in volume.array.shape[1:]]
    window = tuple(slice(f, f + size) for f in first)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.geometry.to_ras(first[::-1])
    return ImageSeries(volume.array[(slice(None), *window)].copy(), affine, volume.times_s)


def write_case(case: Case, data: Path, folder: Path) -> Path:
    """``truth.nrrd`` and ``stack-1.nrrd`` to ``stack-3.nrrd`` in a folder of the case, once; gives the folder."""
    place = folder / case.folder
    if not (place / "stack-3.nrrd").exists():
        place.mkdir(parents=True, exist_ok=True)
        truth = truth_of(case.name, data)
        dmr.write(place / "truth.nrrd", truth)
        rng = np.random.default_rng(_SEED)
        for axis in (0, 1, 2):
            seen = _brain(data, motion_of(axis), WHOLE_MM) if case.moved else truth
            stack = thick_slices(seen, axis, case.factor)
            noise = case.noise * truth.array.max() * rng.standard_normal(stack.array.shape)
            noisy = replace(stack, array=np.abs(stack.array + noise).astype(np.float32))
            dmr.write(place / f"stack-{axis + 1}.nrrd", noisy if case.noise else stack)
    return place


def registration_error(result: ImageSeries, truth: ImageSeries) -> tuple[float, float]:
    """What registration left at most: mm over all voxels that are brain, and degrees, over the moved stacks."""
    k, j, i = np.nonzero(truth.array[0] > 0)
    points = np.stack([i, j, k], -1) @ truth.affine[:3, :3].T + truth.affine[:3, 3]
    found = []
    for number, stack in enumerate(result.metadata["stacks"]):
        left = np.array(stack["matrix_ras"]) @ motion_of(number)
        apart = points @ left[:3, :3].T + left[:3, 3] - points
        turn = np.degrees(np.linalg.norm(Rotation.from_matrix(left[:3, :3]).as_rotvec()))
        found.append((float(np.linalg.norm(apart, axis=1).max()), float(turn)))
    return max(mm for mm, _ in found), max(degrees for _, degrees in found)


def fetal_files(data: Path) -> tuple[list[Path], list[Path], Path]:
    """Stacks, their masks, and the published volume."""
    root = data / "fetal_stacks"
    stacks = sorted((root / "data" / "sub-01" / "anat").glob("*_T2w.nii.gz"))
    masks = sorted((root / "data" / "derivatives" / "manual_masks" / "sub-01" / "anat").glob("*_mask.nii.gz"))
    return stacks, masks, root / "notebooks" / "data" / "sub-01_rec-SR_id-1_T2w.nii.gz"
