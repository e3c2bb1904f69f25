"""Image series to Sequence nodes and back: position, time, units, handedness, transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry

pytestmark = pytest.mark.slicer

ANGLE = np.deg2rad(30.0)
OBLIQUE = [[np.cos(ANGLE), 0, np.sin(ANGLE)], [0, 1, 0], [-np.sin(ANGLE), 0, np.cos(ANGLE)]]


def series(times_s: Any, slices: int = 2) -> ImageSeries:
    rng = np.random.default_rng(0)
    array = rng.random((len(times_s), slices, 5, 7)).astype(np.float32)
    affine = Geometry.from_parts((1.5, 2.0, 6.0), (-10.0, 20.0, 30.0), OBLIQUE).affine
    synthetic = np.arange(len(times_s)) % 2 == 1
    return ImageSeries(array, affine, np.array(times_s), synthetic=synthetic)


def test_there_and_back(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader, sequences

    truth = series([0.013, 0.053, 0.151])
    nodes = sequences.fromSeries(truth, "Cine")
    back = sequenceReader.toSeries(nodes.sequence)
    np.testing.assert_array_equal(back.array, truth.array)
    np.testing.assert_allclose(back.affine, truth.affine, atol=1e-6)
    np.testing.assert_allclose(back.times_s, truth.times_s, atol=1e-6)
    np.testing.assert_array_equal(back.synthetic, truth.synthetic)
    assert nodes.sequence.GetIndexUnit() == "s"
    assert nodes.browser.GetFormattedIndexValue(0) == "0.013"
    assert nodes.browser.GetPlaybackRateFps() == pytest.approx(1 / np.median(np.diff(truth.times_s)))
    assert not nodes.browser.GetPlaybackItemSkippingEnabled()
    assert nodes.proxy.GetDisplayNode().GetAutoWindowLevel() == 0


def test_frames_closer_than_slicers_tolerance_are_kept_in_milliseconds(scene: Any, tmp_path: Any) -> None:
    import slicer
    from DynamicMRIReconSlicer import sequenceReader, sequences

    truth = series(0.0005 * np.arange(6))
    nodes = sequences.fromSeries(truth, "Fast")
    assert nodes.sequence.GetIndexUnit() == "ms"
    assert nodes.sequence.GetNumberOfDataNodes() == 6
    np.testing.assert_allclose(sequenceReader.toSeries(nodes.sequence).times_s, truth.times_s, atol=1e-9)
    path = str(tmp_path / "fast.seq.nrrd")
    assert slicer.util.saveNode(nodes.sequence, path)
    loaded = slicer.util.loadSequence(path)
    assert loaded.GetNumberOfDataNodes() == 6, "frames were merged by the file round trip"


def test_complex_series_are_shown_as_magnitudes(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader, sequences

    truth = series([0.0, 0.04])
    turned = ImageSeries(truth.array * np.exp(1j), truth.affine, truth.times_s)
    back = sequenceReader.toSeries(sequences.fromSeries(turned, "Complex").sequence)
    np.testing.assert_allclose(back.array, truth.array, rtol=1e-5)


def cine(scene: Any, trigger_ms: list[float] | None, matrix: np.ndarray | None = None) -> Any:
    """A sequence as Slicer's DICOM import makes it: indexed by instance number."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "DICOM cine")
    node.SetIndexName("instance number")
    node.SetIndexUnit("")
    for i in range(3):
        volume = slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(volume, np.full((2, 4, 4), i + np.arange(2)[:, None, None], np.int16))
        if matrix is not None:
            volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
        if trigger_ms is not None:
            volume.SetAttribute("DICOM.triggerTime", str(trigger_ms[i]))
        node.SetDataNodeAtValue(volume, str(i + 1))
    return node


def test_dicom_cine_takes_its_times_from_the_trigger_times(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    found = sequenceReader.toSeries(cine(scene, [25.0, 78.0, 131.0]))
    np.testing.assert_allclose(found.times_s, [0.025, 0.078, 0.131])
    assert "warnings" not in found.metadata


def test_frames_stored_out_of_order_come_back_in_the_order_of_their_trigger_times(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    found = sequenceReader.toSeries(cine(scene, [131.0, 25.0, 78.0]))
    np.testing.assert_allclose(found.times_s, [0.025, 0.078, 0.131])
    np.testing.assert_allclose(found.array[:, 0, 0, 0], [1, 2, 0])


def test_missing_times_are_said(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    found = sequenceReader.toSeries(cine(scene, None))
    np.testing.assert_allclose(found.times_s, [0, 1, 2])
    assert "1 s a frame" in found.metadata["warnings"][0]


def test_left_handed_volumes_keep_every_voxel_in_place(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    matrix = np.diag([-2.0, 2.0, 5.0, 1.0])
    matrix[:3, 3] = (1, 2, 3)
    found = sequenceReader.toSeries(cine(scene, None, matrix))
    assert np.linalg.det(found.affine[:3, :3]) > 0
    before = matrix @ (1, 2, 1, 1)
    i, j, k = np.rint(found.geometry.to_ijk(before[:3])).astype(int)
    assert found.array[0, k, j, i] == 1, "the voxel that was in slice 1 lies elsewhere now"


def test_a_linear_transform_moves_the_series_and_a_deforming_one_is_refused(scene: Any) -> None:
    import slicer
    from DynamicMRIReconSlicer import sequenceReader, sequences

    truth = series([0.0, 0.04])
    nodes = sequences.fromSeries(truth, "Moved")
    shift = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Shift")
    matrix = np.eye(4)
    matrix[:3, 3] = (11, -7, 5)
    shift.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    nodes.proxy.SetAndObserveTransformNodeID(shift.GetID())
    moved = sequenceReader.toSeries(nodes.sequence)
    np.testing.assert_allclose(moved.affine, matrix @ truth.affine, atol=1e-6)
    bent = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Bent")
    nodes.proxy.SetAndObserveTransformNodeID(bent.GetID())
    with pytest.raises(InputError, match="deforming"):
        sequenceReader.toSeries(nodes.sequence)


def test_what_is_no_image_series_is_refused(scene: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    empty = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "Empty")
    for node in (empty, scene.AddNewNodeByClass("vtkMRMLTextNode", "Text"), None):
        with pytest.raises(InputError):
            sequenceReader.toSeries(node)


def test_frames_on_different_grids_are_refused(scene: Any) -> None:
    import slicer
    from DynamicMRIReconSlicer import sequenceReader

    node = cine(scene, None)
    node.GetNthDataNode(1).SetOrigin(5, 0, 0)
    with pytest.raises(InputError, match="Item 1"):
        sequenceReader.toSeries(node)
    slicer.util.updateVolumeFromArray(node.GetNthDataNode(2), np.zeros((2, 4, 5), np.int16))
    node.GetNthDataNode(1).SetOrigin(0, 0, 0)
    with pytest.raises(InputError, match="size"):
        sequenceReader.toSeries(node)


def test_a_further_sequence_plays_in_step_with_the_first(scene: Any) -> None:
    import slicer
    from DynamicMRIReconSlicer import sequences

    whole, part = series([0.0, 0.1, 0.3]), series([0.0, 0.1, 0.3])
    first = sequences.fromSeries(whole, "Whole")
    second = sequences.fromSeries(part, "Whole sparse", {"a": "b"}, first.browser)
    assert second.browser is first.browser
    assert first.browser.GetMasterSequenceNode() is first.sequence
    assert len(slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")) == 1
    assert first.browser.IsSynchronizedSequenceNode(second.sequence, True)
    for item in (2, 0, 1):
        first.browser.SetSelectedItemNumber(item)
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(first.browser)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(first.proxy), whole.array[item])
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(second.proxy), part.array[item])
    assert sequences.proxyOf(second.sequence) is second.proxy
    assert second.sequence.GetAttribute("a") == "b"


def test_a_sequence_with_more_frames_does_not_follow_a_shorter_one(scene: Any) -> None:
    import slicer
    from DynamicMRIReconSlicer import sequences

    first = sequences.fromSeries(series([0.0, 0.1]), "Short")
    with pytest.raises(ValueError, match="more frames"):
        sequences.fromSeries(series([0.0, 0.1, 0.2]), "Long", browser=first.browser)
    assert len(slicer.util.getNodesByClass("vtkMRMLSequenceNode")) == 1


def test_a_sequence_used_as_input_keeps_its_marks_and_notes(scene: Any, tmp_path: Any) -> None:
    from dataclasses import replace

    from DynamicMRIReconSlicer import jobFolder, sequenceReader, sequences

    from DynamicMRIReconLib import io

    original = replace(series([0.0, 0.1, 0.2]), synthetic=np.array([False, True, False]))
    exported = sequenceReader.toSeries(sequences.fromSeries(original, "Cine").sequence).with_metadata(source="Cine")
    jobFolder.exportSeries(exported, tmp_path / "input.npz")
    read = io.read(tmp_path / "input.npz")
    assert isinstance(read, ImageSeries)
    assert read.synthetic is not None
    assert read.synthetic.tolist() == [False, True, False]
    assert read.metadata["source"] == "Cine"
    np.testing.assert_array_equal(read.array, original.array)
    np.testing.assert_allclose(read.times_s, original.times_s, atol=1e-6)
