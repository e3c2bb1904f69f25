"""The worker's preview array as a small picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk


def write(path: Path) -> Path | None:
    """Write the middle frame and slice of a .npy array (frames, z, y, x) or (z, y, x) as PNG beside it.

    None when the array is not there or is being replaced right now: the next preview comes soon.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        while array.ndim > 2:
            array = array[len(array) // 2]
        frame = np.array(array, np.float32)
    except (OSError, ValueError):
        return None
    if frame.ndim != 2 or not frame.size:
        return None
    low, high = np.percentile(frame, (0.5, 99.8))
    grey = np.clip((frame - low) * (255.0 / max(high - low, 1e-12)), 0, 255).astype(np.uint8)
    image = vtk.vtkImageData()
    image.SetDimensions(grey.shape[1], grey.shape[0], 1)
    # Rows of a PNG run downwards, those of VTK upwards.
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(grey[::-1]).ravel(), deep=True))
    picture = path.with_suffix(".png")
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(picture))
    writer.SetInputData(image)
    writer.Write()
    return picture if picture.exists() else None
