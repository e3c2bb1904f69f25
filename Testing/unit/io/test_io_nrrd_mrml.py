"""Our .seq.nrrd in Slicer's own storage classes, and Slicer's files in our reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from marker_series import MARKER_RAS_MM, ORIENTATIONS, SPACING_MM, found_ras_mm, marker_series
from mrml_access import import_slicer

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries

slicer = import_slicer()
pytestmark = [
    pytest.mark.slicer,
    # VTK's own modules still use names that new numpy and Python versions call old.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

TIMES = {
    "regular": np.arange(4) * 0.025 + 0.0254,
    "irregular": np.array([0.0, 0.0131, 0.0934, 1.75]),
    "half a millisecond": np.arange(4) * 0.0005 + 0.25,
    "one frame": np.array([0.125]),
}


@pytest.fixture
def scene() -> Any:
    scene = slicer.vtkMRMLScene()
    yield scene
    scene.Clear(True)


def load(scene: Any, path: Path, node_class: str, storage_class: str) -> Any:
    node = scene.AddNewNodeByClass(node_class, "loaded")
    storage = getattr(slicer, storage_class)()
    storage.SetScene(scene)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1, storage.GetUserMessages().GetAllMessagesAsString()
    return node


def load_sequence(scene: Any, path: Path) -> Any:
    return load(scene, path, "vtkMRMLSequenceNode", "vtkMRMLVolumeSequenceStorageNode")


def save_sequence(scene: Any, node: Any, path: Path) -> None:
    storage = slicer.vtkMRMLVolumeSequenceStorageNode()
    storage.SetScene(scene)
    storage.SetFileName(str(path))
    assert storage.WriteData(node) == 1


def matrix_of(volume: Any) -> np.ndarray:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def voxels_of(volume: Any) -> np.ndarray:
    return np.array(slicer.util.arrayFromVolume(volume))


def times_of(sequence: Any) -> np.ndarray:
    scale = {"s": 1.0, "ms": 1e-3, "us": 1e-6}[sequence.GetIndexUnit()]
    values = [float(sequence.GetNthIndexValue(i)) for i in range(sequence.GetNumberOfDataNodes())]
    return np.array(values) * scale


@pytest.mark.parametrize("slices", [1, 5])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_slicer_reads_voxels_and_place(scene: Any, orientation: str, slices: int, tmp_path: Path) -> None:
    series = marker_series(orientation, TIMES["irregular"], slices)
    node = load_sequence(scene, dmr.write(tmp_path / "ours.seq.nrrd", series))
    assert node.GetNumberOfDataNodes() == series.frames
    for i, frame in enumerate(series.array):
        volume = node.GetNthDataNode(i)
        np.testing.assert_array_equal(voxels_of(volume), frame)
        np.testing.assert_allclose(matrix_of(volume), series.affine, atol=1e-6)
        found = found_ras_mm(voxels_of(volume), matrix_of(volume))
        assert np.abs(found - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_slicer_reads_every_frame_at_its_time(scene: Any, times: np.ndarray, tmp_path: Path) -> None:
    node = load_sequence(scene, dmr.write(tmp_path / "ours.seq.nrrd", marker_series("oblique", times)))
    assert node.GetIndexName() == "time"
    assert node.GetIndexTypeAsString() == "numeric"
    np.testing.assert_allclose(times_of(node), times, atol=1e-7)


def test_notes_and_synthetic_flags_pass_through_slicer(scene: Any, tmp_path: Path) -> None:
    """Read by Slicer, written again by Slicer, read by us: nothing of ours is lost."""
    notes = {"provenance": {"method": "cg-sense", "note": 'quotes " \\ and\nlines'}, "warnings": ["ä"]}
    made = marker_series("sagittal", TIMES["half a millisecond"])
    series = ImageSeries(made.array, made.affine, made.times_s, synthetic=[0, 1, 0, 1], metadata=notes)
    node = load_sequence(scene, dmr.write(tmp_path / "ours.seq.nrrd", series))
    assert json.loads(node.GetAttribute("DynamicMRIRecon.metadata")) == notes
    assert [node.GetNthDataNode(i).GetAttribute("synthetic") for i in range(4)] == [None, "1", None, "1"]
    save_sequence(scene, node, tmp_path / "theirs.seq.nrrd")
    back = dmr.read(tmp_path / "theirs.seq.nrrd")
    np.testing.assert_array_equal(back.array, series.array)
    np.testing.assert_array_equal(back.synthetic, series.synthetic)
    np.testing.assert_allclose(back.affine, series.affine, atol=1e-6)
    np.testing.assert_allclose(back.times_s, series.times_s, atol=1e-7)
    assert {key: back.metadata[key] for key in notes} == notes


@pytest.mark.parametrize(
    ("name", "unit", "values", "expected", "warned"),
    [
        ("time", "s", ["0.000", "0.025", "0.1"], [0, 0.025, 0.1], False),
        ("time", "ms", ["10", "35.5", "60"], [0.01, 0.0355, 0.06], False),
        ("time", "", ["0", "0.5", "1.5"], [0, 0.5, 1.5], True),
        ("instance number", "", ["1", "2", "3"], [0, 1, 2], True),
    ],
)
def test_sequences_made_in_slicer(
    scene: Any, name: str, unit: str, values: list[str], expected: list[float], warned: bool, tmp_path: Path
) -> None:
    made = marker_series("oblique", np.arange(3.0))
    save_sequence(scene, slicer_sequence(scene, made, name, unit, values), tmp_path / "theirs.seq.nrrd")
    back = dmr.read(tmp_path / "theirs.seq.nrrd")
    np.testing.assert_allclose(back.times_s, expected, atol=1e-9)
    np.testing.assert_array_equal(back.array, made.array)
    np.testing.assert_allclose(back.affine, made.affine, atol=1e-6)
    assert bool(back.metadata.get("warnings")) is warned


def test_trigger_times_of_slicers_dicom_import(scene: Any, tmp_path: Path) -> None:
    made = marker_series("oblique", np.arange(3.0))
    node = slicer_sequence(scene, made, "instance number", "", ["1", "2", "3"])
    for i, trigger in enumerate(("23.8", "71.4", "119.05")):
        node.GetNthDataNode(i).SetAttribute("DICOM.triggerTime", trigger)
    save_sequence(scene, node, tmp_path / "theirs.seq.nrrd")
    back = dmr.read(tmp_path / "theirs.seq.nrrd")
    np.testing.assert_allclose(back.times_s, [0.0238, 0.0714, 0.11905], atol=1e-9)
    assert "warnings" not in back.metadata


def slicer_sequence(scene: Any, series: ImageSeries, name: str, unit: str, values: list[str]) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "made in Slicer")
    node.SetIndexName(name)
    node.SetIndexUnit(unit)
    node.SetIndexTypeFromString("numeric")
    for frame, value in zip(series.array, values, strict=True):
        volume = slicer.vtkMRMLScalarVolumeNode()
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(series.affine))
        slicer.util.updateVolumeFromArray(volume, frame)
        node.SetDataNodeAtValue(volume, value)
    return node


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_single_volume_in_slicer(scene: Any, orientation: str, suffix: str, tmp_path: Path) -> None:
    series = marker_series(orientation, np.array([0.4]))
    path = dmr.write(tmp_path / f"volume{suffix}", series)
    volume = load(scene, path, "vtkMRMLScalarVolumeNode", "vtkMRMLVolumeArchetypeStorageNode")
    np.testing.assert_array_equal(voxels_of(volume), series.array[0])
    np.testing.assert_allclose(matrix_of(volume), series.affine, atol=1e-3)
    found = found_ras_mm(voxels_of(volume), matrix_of(volume))
    assert np.abs(found - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetScene(scene)
    storage.SetFileName(str(tmp_path / f"again{suffix}"))
    assert storage.WriteData(volume) == 1
    back = dmr.read(tmp_path / f"again{suffix}")
    np.testing.assert_array_equal(back.array, series.array)
    np.testing.assert_allclose(back.affine, series.affine, atol=1e-3)


@pytest.mark.parametrize(
    "space", ["left-posterior-superior", "right-anterior-superior", "scanner-xyz", "3D-right-handed"]
)
def test_spaces_mean_what_they_mean_in_slicer(scene: Any, space: str, tmp_path: Path) -> None:
    import nrrd

    header = {
        "space": space,
        "space directions": np.diag([1.5, 2.0, 3.0]),
        "space origin": np.array([5.0, 6.0, 7.0]),
        "kinds": ["domain"] * 3,
    }
    nrrd.write(str(tmp_path / "space.nrrd"), np.ones((2, 3, 4), np.float32), header, index_order="C")
    volume = load(scene, tmp_path / "space.nrrd", "vtkMRMLScalarVolumeNode", "vtkMRMLVolumeArchetypeStorageNode")
    np.testing.assert_allclose(dmr.read(tmp_path / "space.nrrd").affine, matrix_of(volume), atol=1e-9)
