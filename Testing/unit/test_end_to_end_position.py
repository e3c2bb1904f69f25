"""The whole way: ISMRMRD file -> job -> .seq.nrrd and .nii.gz -> MRML volume, in true position and at true times.

The files are written with the ismrmrd package, and their samples are the Fourier transform of Gaussians in closed form:
no code of the library has part in what is measured, and every position and time is known without it.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "io"))
from mrml_access import import_slicer
from raw_data_files import header, line, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.jobs.files import RESULT
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import LocalRunner
from DynamicMRIReconLib.jobs.worker import run_job

slicer = import_slicer()
pytestmark = [
    pytest.mark.slicer,
    # VTK's own modules still use names that new numpy and Python versions call old.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SIZE, PIXEL_MM = (40, 32), (2.5, 3.0)  # y, x
FOV_MM = np.array([SIZE[1] * PIXEL_MM[1], SIZE[0] * PIXEL_MM[0]])  # x, y
SLICES, SLICE_STEP_MM = 3, 6.0
SPOKES = 64
CENTRE_LPS_MM = np.array([12.3, -34.5, 56.7])
TICK_S = 0.0025  # of an ISMRMRD time stamp
TR_TICKS = 2
# Every frame begins when the last is done, and the third only after a pause.
PAUSE_TICKS = {0: 0, 1: 0, 2: 97}

#: place within the image (mm along read, phase and slice from the centre), width, height; the second breaks symmetry
MARKER = (np.array([17.2, -21.9, 1.4]), 3.4, 1.0)
COMPANION = (np.array([-21.0, 14.0, 0.0]), 5.0, 0.35)

SQRT_HALF = np.sqrt(0.5)
PLANES = {  # read and phase directions, in the LPS system of an ISMRMRD file
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "oblique": ((SQRT_HALF, 0.5, 0.5), (-SQRT_HALF, 0.5, 0.5)),
}


@dataclass
class Plane:
    """Directions of an acquisition in LPS."""

    read: np.ndarray
    phase: np.ndarray

    @classmethod
    def named(cls, name: str) -> Plane:
        return cls(*(np.array(vector) for vector in PLANES[name]))

    @property
    def through(self) -> np.ndarray:
        return np.cross(self.read, self.phase)

    def marker_ras_mm(self) -> np.ndarray:
        x, y, z = MARKER[0]
        lps = CENTRE_LPS_MM + x * self.read + y * self.phase + z * self.through
        return lps * [-1, -1, 1]


def coil_samples(k: np.ndarray, z_mm: float, brightness: float) -> np.ndarray:
    """(4, n) samples at ``k`` (n, 2) in cycles per field of view, of the slice at ``z_mm``.

    The coils are 1 + 0.7 e and 1 - 0.7 e, with e half a turn over the field of view along x or y: their root sum of
    squares is even, so that they leave the marker's peak where it is.
    """
    samples = []
    for turn in (np.array([0.5, 0.0]), np.array([0.0, 0.5])):
        plain, turned = (
            sum(gaussian(b, k - t, z_mm, brightness) for b in (MARKER, COMPANION)) for t in (0 * turn, turn)
        )
        samples += [plain + 0.7 * turned, plain - 0.7 * turned]
    return np.array(samples)


def gaussian(blob: tuple[np.ndarray, float, float], k: np.ndarray, z_mm: float, brightness: float) -> np.ndarray:
    """Fourier transform of a blob's slice at ``z_mm``; only the marker changes from frame to frame."""
    at, width, height = blob
    height = height * (brightness if blob is MARKER else 1) * np.exp(-((z_mm - at[2]) ** 2) / (2 * width**2))
    per_mm = k / FOV_MM
    spread = np.exp(-2 * (np.pi * width) ** 2 * (per_mm**2).sum(-1))
    return height * 1e3 * spread * np.exp(-2j * np.pi * per_mm @ at[:2])


def write_scan(path: Path, plane: Plane, kind: str) -> Path:
    """Three frames of three slices, interleaved shot by shot, with position, directions and stamps at every line."""
    lines, tick = [], 5_000_000
    for frame, pause in PAUSE_TICKS.items():
        tick += pause
        for shot in range(SIZE[0] if kind == "cartesian" else SPOKES):
            for number in range(SLICES):
                z_mm = (number - SLICES // 2) * SLICE_STEP_MM
                if kind == "cartesian":
                    kx = np.arange(-SIZE[1] // 2, SIZE[1] // 2)
                    k = np.stack([kx, np.full_like(kx, shot - SIZE[0] // 2)], axis=-1).astype(float)
                else:
                    turn = np.deg2rad(111.246) * (frame * SPOKES + shot)
                    radius = np.linspace(-0.5, 0.5, 2 * SIZE[0], endpoint=False)[:, None]
                    k = radius * [np.cos(turn), np.sin(turn)] * [SIZE[1], SIZE[0]]
                lines.append(
                    line(
                        coil_samples(k, z_mm, 1 + frame),
                        None if kind == "cartesian" else k,
                        kspace_encode_step_1=shot,
                        slice=number,
                        repetition=frame,
                        read_dir=plane.read,
                        phase_dir=plane.phase,
                        slice_dir=plane.through,
                        position=CENTRE_LPS_MM + z_mm * plane.through,
                        acquisition_time_stamp=tick,
                    )
                )
            tick += TR_TICKS
    fov = (float(FOV_MM[0]), float(FOV_MM[1]), SLICE_STEP_MM)
    return save(path, header((SIZE[1], SIZE[0], 1), encoded_fov=fov, trajectory=kind), lines)


def frame_times_s(kind: str) -> np.ndarray:
    """The mean time of each frame's shots, from the first shot on."""
    shots = SIZE[0] if kind == "cartesian" else SPOKES
    starts = np.arange(3) * shots * TR_TICKS + np.cumsum(list(PAUSE_TICKS.values()))
    return (starts + (shots - 1) / 2 * TR_TICKS) * TICK_S


def peak_ras_mm(volume: Any) -> np.ndarray:
    """RAS position of the brightest point of an MRML volume, between voxels where a Gaussian's peak would be."""
    import vtk

    voxels = np.array(slicer.util.arrayFromVolume(volume), float)
    top = np.array(np.unravel_index(voxels.argmax(), voxels.shape))
    ijk = top[::-1].astype(float)
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        assert 0 < top[axis] < voxels.shape[axis] - 1, "the peak lies at the border"
        before, here, after = (np.log(voxels[tuple(top + s * step)]) for s in (-1, 0, 1))
        ijk[2 - axis] += 0.5 * (before - after) / (before - 2 * here + after)
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint((*ijk, 1.0))[:3])


def load_sequence(scene: Any, path: Path) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", path.name)
    storage = slicer.vtkMRMLVolumeSequenceStorageNode()
    storage.SetScene(scene)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1, storage.GetUserMessages().GetAllMessagesAsString()
    return node


def assert_in_place(node: Any, plane: Plane) -> None:
    """Every frame's marker within a tenth of a voxel, and the frames in order: each is brighter than the last."""
    assert node.GetNumberOfDataNodes() == len(PAUSE_TICKS)
    brightest = []
    for number in range(node.GetNumberOfDataNodes()):
        volume = node.GetNthDataNode(number)
        assert volume.GetSpacing() == pytest.approx((PIXEL_MM[1], PIXEL_MM[0], SLICE_STEP_MM), abs=1e-4)
        error_mm = peak_ras_mm(volume) - plane.marker_ras_mm()
        directions = np.stack([plane.read, plane.phase, plane.through]) * [-1, -1, 1]
        error_voxels = directions @ error_mm / [PIXEL_MM[1], PIXEL_MM[0], SLICE_STEP_MM]
        assert np.abs(error_voxels).max() < 0.1, f"frame {number} is off by {error_voxels} voxels"
        brightest.append(slicer.util.arrayFromVolume(volume).max())
    np.testing.assert_allclose(np.array(brightest) / brightest[0], [1, 2, 3], rtol=0.05)


def index_s(node: Any) -> np.ndarray:
    scale = {"s": 1.0, "ms": 1e-3}[node.GetIndexUnit()]
    return np.array([float(node.GetNthIndexValue(i)) for i in range(node.GetNumberOfDataNodes())]) * scale


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The file of a plane and a kind, written once."""
    folder, written = tmp_path_factory.mktemp("scans"), {}

    def of(plane: str, kind: str) -> Path:
        if (plane, kind) not in written:
            written[plane, kind] = write_scan(folder / f"{plane}-{kind}.h5", Plane.named(plane), kind)
        return written[plane, kind]

    return of


@pytest.mark.parametrize(
    ("name", "kind", "method"),
    [
        *itertools.product(PLANES, ["cartesian", "radial"], ["gridding", "cg-sense"]),
        ("sagittal", "cartesian", "st-inr"),
        ("oblique", "radial", "st-inr"),
    ],
)
def test_marker_and_times_from_raw_file_to_mrml(name: str, kind: str, method: str, scan: Any, tmp_path: Path) -> None:
    plane, folder = Plane.named(name), tmp_path / "job"
    preset = "fast" if method == "st-inr" else "standard"
    Job(method=method, preset=preset, inputs=[scan(name, kind)], device="cpu", output=tmp_path / "out.nii.gz").save(
        folder
    )
    assert run_job(folder) == 0
    scene = slicer.vtkMRMLScene()
    for path in (folder / RESULT, tmp_path / "out.nii.gz"):
        node = load_sequence(scene, path)
        assert_in_place(node, plane)
        np.testing.assert_allclose(io.read(path).times_s, frame_times_s(kind), rtol=0, atol=1e-3)
    # One interval for all frames is what other programs find in a NIfTI file; a .seq.nrrd says every time.
    in_slicer = index_s(load_sequence(scene, folder / RESULT))
    np.testing.assert_allclose(in_slicer, frame_times_s(kind), rtol=0, atol=1e-3)
    scene.Clear(True)


def test_the_worker_process_gives_the_same_file(scan: Any, tmp_path: Path) -> None:
    """What the panel and the command line start."""
    folders = [tmp_path / "here", tmp_path / "worker"]
    for folder in folders:
        Job(method="cg-sense", inputs=[scan("oblique", "radial")], device="cpu").save(folder)
    assert run_job(folders[0]) == 0
    assert LocalRunner().run(folders[1]) == 0
    here, there = (io.read(folder / RESULT) for folder in folders)
    np.testing.assert_allclose(there.array, here.array, rtol=0, atol=1e-5 * here.array.max())
    np.testing.assert_array_equal(there.affine, here.affine)
    np.testing.assert_array_equal(there.times_s, here.times_s)
    scene = slicer.vtkMRMLScene()
    assert_in_place(load_sequence(scene, folders[1] / RESULT), Plane.named("oblique"))
    scene.Clear(True)
