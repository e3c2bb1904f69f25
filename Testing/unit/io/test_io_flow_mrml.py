"""The motion that ifnet writes, in Slicer's own storage classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mrml_access import import_slicer

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.common.flow_file import millimetres, write_flow

slicer = import_slicer()
pytestmark = [pytest.mark.slicer, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

AFFINE = np.array([[1.2, -0.3, 0.2, -41], [0.4, 1.1, -0.9, 17.5], [-0.1, 0.6, 4.8, 60], [0, 0, 0, 1]])


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """Three pairs of frames; one voxel moves on its own."""
    series = ImageSeries(np.ones((4, 2, 10, 12), np.float32), AFFINE, [0.0, 0.1, 0.3, 0.35])
    displacement = np.tile(np.array([1.5, -2.0], np.float32), (3, 2, 10, 12, 1))
    displacement[1, 1, 4, 5] = [3.0, 4.0]
    path = tmp_path / "flow.seq.nrrd"
    write_flow(path, millimetres(displacement, AFFINE), series, [])
    return path, displacement


def test_slicer_shows_vectors_in_ras_at_the_middle_of_the_frames(written: tuple[Path, np.ndarray]) -> None:
    import vtk

    path, displacement = written
    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "flow")
    storage = slicer.vtkMRMLVolumeSequenceStorageNode()
    storage.SetScene(scene)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1, storage.GetUserMessages().GetAllMessagesAsString()
    assert [float(node.GetNthIndexValue(i)) for i in range(3)] == [0.05, 0.2, 0.325]
    assert node.GetIndexUnit() == "s"
    volume = node.GetNthDataNode(1)
    assert volume.GetClassName() == "vtkMRMLVectorVolumeNode"
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    found = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    np.testing.assert_allclose(found, AFFINE, atol=1e-9)
    for i, j, k in ((5, 4, 1), (0, 0, 0)):
        vector = [volume.GetImageData().GetScalarComponentAsFloat(i, j, k, c) for c in range(3)]
        # Slicer turns the vectors of the file to RAS, as it does with the positions
        expected = AFFINE[:3, :2] @ displacement[1, k, j, i]
        np.testing.assert_allclose(vector, expected, atol=1e-5)
    scene.Clear(True)


def test_it_is_no_image_series_and_says_so(written: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(InputError, match=r"flow\.seq\.nrrd|vector"):
        io.read(written[0])


def test_itk_reads_the_vectors_along_left_posterior_superior(written: tuple[Path, np.ndarray]) -> None:
    import SimpleITK as sitk

    path, displacement = written
    image = sitk.ReadImage(str(path))
    assert image.GetSize() == (12, 10, 2, 3)
    np.testing.assert_allclose(image.GetOrigin()[:3], AFFINE[:3, 3] * [-1, -1, 1])
    expected = AFFINE[:3, :2] @ displacement[1, 1, 4, 5] * [-1, -1, 1]
    np.testing.assert_allclose(image.GetPixel(5, 4, 1, 1), expected, atol=1e-5)
