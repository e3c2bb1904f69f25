"""The two things that travel through the project: measured k-space and image series, and where their voxels are.

All check themselves on construction, so that whatever holds one may trust its shapes, units and order:
arrays finite, times in seconds and strictly increasing, affines right-handed in RAS millimetres.
"""

from __future__ import annotations

from DynamicMRIReconLib.geometry import Geometry, right_handed
from DynamicMRIReconLib.kspace import KSpace
from DynamicMRIReconLib.series import ImageSeries

__all__ = ["Geometry", "ImageSeries", "KSpace", "right_handed"]
