"""What a caller may tell a reader that the file itself does not say."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError

FRAME_COUNTERS = ("repetition", "phase", "set", "contrast", "average", "segment")
TIME_SOURCES = ("acquisition", "physiology")


@dataclass(frozen=True)
class ReadOptions:
    """Options of ``read``; None means: what the file says, or the format's own rule.

    Attributes
    ----------
    axes
        Names of an array's axes, first to last, for files that do not name them: ``frames``, ``coils``, ``z``, ``ky``,
        ``kx``, ``shots``, ``readout``, ``x``, ``y``, and ``_`` for an axis of one element.
    frames_from
        ISMRMRD counter that numbers the frames, one of ``FRAME_COUNTERS``.
    times_from
        ``acquisition`` or ``physiology`` (time since the trigger): which ISMRMRD time stamps give the frame times.
    shots_per_frame
        Make frames of this many shots, in the order of acquisition, instead of those of the file (not Cartesian).
    coil_maps
        File with coil sensitivity maps, or a complex array (coils, z, y, x).
    trajectory
        File with the k-space trajectory of the samples, for formats that keep it apart.
    dataset
        Name of the HDF5 group with the acquisitions, where a file has several.
    variable
        Name of the variable with the data, where a .mat or .npz file has several.
    pixel_size_mm
        Size of the square pixels of a video or GIF, which does not tell it.

    Raises
    ------
    InputError
        ``frames_from`` or ``times_from`` is not one of the known names, ``shots_per_frame`` is below 1, or
        ``pixel_size_mm`` is not above 0.
    """

    axes: tuple[str, ...] | None = None
    frames_from: str | None = None
    times_from: str | None = None
    shots_per_frame: int | None = None
    coil_maps: Any = None
    trajectory: Path | None = None
    dataset: str | None = None
    variable: str | None = None
    pixel_size_mm: float | None = None

    def __post_init__(self) -> None:
        for name, known in (("frames_from", FRAME_COUNTERS), ("times_from", TIME_SOURCES)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise InputError(f"{name} must be one of {', '.join(known)}, not {value!r}.")
        shots = self.shots_per_frame
        if shots is not None and (isinstance(shots, bool) or not isinstance(shots, int) or shots < 1):
            raise InputError(f"shots_per_frame must be a whole number of at least 1, not {shots!r}.")
        size = self.pixel_size_mm
        if size is not None and not (isinstance(size, (int, float)) and 0 < size < float("inf")):
            raise InputError(f"pixel_size_mm must be a number above 0, not {size!r}.")

    @classmethod
    def of(cls, *, axes: Any = None, trajectory: Any = None, **rest: Any) -> ReadOptions:
        """Options from what users type: ``axes`` as "frames,coils,..." or a sequence, paths as text."""
        if isinstance(axes, str):
            axes = axes.split(",")
        return cls(
            axes=None if axes is None else tuple(str(axis).strip().lower() for axis in axes),
            trajectory=None if trajectory is None else Path(trajectory),
            **rest,
        )

    def given(self) -> tuple[str, ...]:
        """Names of the options that were set."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not None)
