"""From a Sequence (or a volume) of the scene to an image series, with the times that it really has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer.sequences import SYNTHETIC, proxyOf
from DynamicMRIReconSlicer.translation import tr as _

_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "min": 60.0}
_TRIGGER_TIME = "DICOM.triggerTime"


def isSeries(node: Any) -> bool:
    """True for a sequence of scalar volumes and for a scalar volume."""
    if node is None:
        return False
    if node.IsA("vtkMRMLSequenceNode"):
        return node.GetNumberOfDataNodes() > 0 and _isScalarVolume(node.GetNthDataNode(0))
    return _isScalarVolume(node)


def seriesOfFile(path: Path, **options: Any) -> ImageSeries:
    """The images of a file; ``options`` are those of ``DynamicMRIReconLib.read``.

    Raises
    ------
    InputError
        It cannot be read, or holds something else.
    """
    from DynamicMRIReconLib import io

    read = io.read(path, **options)
    if not isinstance(read, ImageSeries):
        raise InputError(_("{name} holds no image series.").format(name=path.name))
    return read


def toSeries(node: Any) -> ImageSeries:
    """The images of a sequence or of a single volume.

    Raises
    ------
    InputError
        It holds something else than scalar volumes of one geometry, or sits under a deforming transform.
    """
    if not isSeries(node):
        raise InputError(
            _("{node} is no sequence of grey-value images.").format(node=node.GetName() if node else "Nothing")
        )
    if not node.IsA("vtkMRMLSequenceNode"):
        array = slicer.util.arrayFromVolume(node)[None].copy()
        return ImageSeries.from_any_handedness(array, _affine(node, node), [0.0], metadata={"source": node.GetName()})
    volumes = [node.GetNthDataNode(i) for i in range(node.GetNumberOfDataNodes())]
    affine = _affine(volumes[0], proxyOf(node))
    first = _affine(volumes[0], None)
    for i, volume in enumerate(volumes):
        if not _isScalarVolume(volume):
            raise InputError(_("Item {i} of {node} is no grey-value image.").format(i=i, node=node.GetName()))
        if not np.allclose(_affine(volume, None), first, atol=1e-3):
            raise InputError(
                _("Item {i} of {node} lies elsewhere than item 0: all frames must share one grid.").format(
                    i=i, node=node.GetName()
                )
            )
    arrays = [slicer.util.arrayFromVolume(volume) for volume in volumes]
    if len({array.shape for array in arrays}) > 1:
        raise InputError(
            _("The items of {node} differ in size: all frames must share one grid.").format(node=node.GetName())
        )
    times_s, warning = times(node)
    metadata: dict[str, Any] = {"source": node.GetName()}
    if warning:
        metadata["warnings"] = [warning]
    synthetic = np.array([volume.GetAttribute(SYNTHETIC) == "1" for volume in volumes])
    order = np.argsort(times_s, kind="stable")
    return ImageSeries.from_any_handedness(
        np.stack(arrays)[order], affine, times_s[order], synthetic=synthetic[order], metadata=metadata
    )


def times(node: Any) -> tuple[np.ndarray, str | None]:
    """Frame times of a sequence in seconds, and a sentence when they had to be assumed.

    An index in a unit of time is taken at its word. Cine series that Slicer loaded from DICOM are indexed by instance
    number: their times are in the items' trigger times.
    """
    count = node.GetNumberOfDataNodes()
    factor = _SECONDS.get((node.GetIndexUnit() or "").strip().lower())
    if factor is not None and node.GetIndexName().strip().lower() not in ("instance number", "frame"):
        try:
            return np.array([float(node.GetNthIndexValue(i)) for i in range(count)]) * factor, None
        except ValueError:
            pass
    try:
        triggers = np.array([float(node.GetNthDataNode(i).GetAttribute(_TRIGGER_TIME)) for i in range(count)])
    except (TypeError, ValueError):
        triggers = np.zeros(count)
    if count == 1 or len(set(triggers.tolist())) == count:
        return triggers * 1e-3, None
    return np.arange(count, dtype=float), _("{node} has no frame times: 1 s a frame is assumed.").format(
        node=node.GetName()
    )


def affineOf(volume: Any) -> np.ndarray:
    """(4, 4) voxel index to RAS mm of a volume, its parent transform included.

    Raises
    ------
    InputError
        It sits under a deforming transform.
    """
    return _affine(volume, volume)


def _isScalarVolume(node: Any) -> bool:
    return (
        node is not None
        and node.IsA("vtkMRMLScalarVolumeNode")
        and not node.IsA("vtkMRMLVectorVolumeNode")
        and node.GetImageData() is not None
        and node.GetImageData().GetNumberOfScalarComponents() == 1
    )


def _affine(volume: Any, placed: Any) -> np.ndarray:
    """IJK to RAS of ``volume``, moved by the parent transform of ``placed`` when that has one."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    affine = slicer.util.arrayFromVTKMatrix(matrix)
    transform = placed.GetParentTransformNode() if placed is not None else None
    if transform is None:
        return affine
    if not transform.IsTransformToWorldLinear():
        raise InputError(
            _("{placed} sits under a deforming transform: harden or remove it first.").format(placed=placed.GetName())
        )
    toWorld = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(toWorld)
    return slicer.util.arrayFromVTKMatrix(toWorld) @ affine
