"""Images over time: what methods return, files hold and views show."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.checked_arrays import checked_array, checked_times
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry, right_handed


def _part(name: str, part: Any, whole: NDArray[Any]) -> NDArray[Any]:
    """``part`` checked against the array of the whole series."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InputError(f"{name!r} cannot be the name of a part: use letters, digits, - and _ only.")
    dtype = np.complex64 if whole.dtype.kind == "c" else np.float32
    array = checked_array(part, f"The part {name!r}", dtype, (4,), "(frames, z, y, x)")
    if array.shape != whole.shape:
        raise InputError(f"The part {name!r} has shape {array.shape}, the series itself {whole.shape}.")
    return array


@dataclass(frozen=True)
class ImageSeries:
    """Images over time on one voxel grid.

    Attributes
    ----------
    array
        (frames, z, y, x), float32 or complex64.
    affine
        (4, 4) voxel index (i=x, j=y, k=z) to RAS millimetres, determinant > 0.
    times_s
        (frames,) seconds, strictly increasing.
    synthetic
        (frames,) bool, True for frames interpolated rather than measured.
    metadata
        JSON-able notes that travel with the series: ``provenance``, ``warnings``, ``source``...
    parts
        named arrays of the shape and kind of ``array`` that it is made of, such as ``low-rank`` and ``sparse``; see
        ``part``. Names are letters, digits, ``-`` and ``_``: they become parts of file names.

    Raises
    ------
    InputError
        If any of these does not hold.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    times_s: NDArray[np.float64]
    synthetic: NDArray[np.bool_] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_complex = np.asarray(self.array).dtype.kind == "c"
        dtype = np.complex64 if is_complex else np.float32
        array = checked_array(self.array, "The image array", dtype, (4,), "(frames, z, y, x)")
        synthetic = np.zeros(len(array), bool) if self.synthetic is None else np.asarray(self.synthetic)
        if synthetic.shape != (len(array),):
            raise InputError(f"The synthetic flags have shape {synthetic.shape}; one for each of {len(array)} frames.")
        if synthetic.dtype.kind not in "biuf" or not np.isin(synthetic, (0, 1)).all():
            raise InputError("The synthetic flags must be true or false (1 or 0), one for each frame.")
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "affine", Geometry(self.affine).affine)
        object.__setattr__(self, "times_s", checked_times(self.times_s, len(array), "The image series"))
        object.__setattr__(self, "synthetic", synthetic.astype(bool))
        object.__setattr__(self, "parts", {name: _part(name, part, array) for name, part in self.parts.items()})

    @classmethod
    def from_any_handedness(cls, array: Any, affine: Any, times_s: Any, **rest: Any) -> ImageSeries:
        """Build from an affine of either handedness; voxels keep their RAS position (see ``right_handed``)."""
        parts = {name: right_handed(np.asarray(part), affine)[0] for name, part in rest.pop("parts", {}).items()}
        array, affine = right_handed(np.asarray(array), affine)
        return cls(array, affine, times_s, parts=parts, **rest)

    @property
    def geometry(self) -> Geometry:
        """The voxel grid."""
        return Geometry(self.affine)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.array)

    def magnitude(self) -> ImageSeries:
        """The same series as float32 magnitudes (a real series is returned as it is, signs kept)."""
        if self.array.dtype.kind != "c":
            return self
        parts = {name: spool.mapped(np.abs, part, np.float32) for name, part in self.parts.items()}
        return replace(self, array=spool.mapped(np.abs, self.array, np.float32), parts=parts)

    def part(self, name: str) -> ImageSeries:
        """One of ``parts`` as a series of its own, in the same place and time."""
        if name not in self.parts:
            raise InputError(f"This series has no part {name!r}; it has {', '.join(self.parts) or 'none'}.")
        return replace(self, array=self.parts[name], parts={}, metadata={**self.metadata, "part": name})

    def with_metadata(self, **entries: Any) -> ImageSeries:
        """A copy whose metadata has ``entries`` added or replaced."""
        return replace(self, metadata={**self.metadata, **entries})
