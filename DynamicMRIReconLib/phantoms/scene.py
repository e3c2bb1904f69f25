"""What every phantom is: a scene that can be looked at on any grid and at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry

Shape = Sequence[int]


@runtime_checkable
class Scene(Protocol):
    """A scene continuous in time and space.

    Attributes
    ----------
    title
        A few words for a person.
    duration_s
        Natural length in seconds: one heart beat, one utterance. ``render`` answers for any finite time.
    """

    @property
    def title(self) -> str:
        """A few words for a person."""
        ...

    @property
    def duration_s(self) -> float:
        """Natural length in seconds."""
        ...

    def geometry(self, shape_zyx: Shape) -> Geometry:
        """Voxel grid of ``shape_zyx``; field of view and the RAS position of index N // 2 do not depend on it."""
        ...

    def render(self, times_s: ArrayLike, shape_zyx: Shape) -> NDArray[np.complex64]:
        """Images at ``times_s`` (T,) seconds: complex64 (T, z, y, x), magnitudes in about [0, 1.2]."""
        ...


def checked_shape(shape_zyx: Shape) -> tuple[int, int, int]:
    """``shape_zyx`` as three positive integers.

    Raises
    ------
    InputError
        If there are not three, or one is below 1 or not whole.
    """
    values = tuple(shape_zyx)
    if len(values) != 3 or any(int(n) != n or n < 1 for n in values):
        raise InputError(f"A phantom is rendered on three positive whole numbers (z, y, x), not {values}.")
    return int(values[0]), int(values[1]), int(values[2])


def checked_times(times_s: ArrayLike) -> NDArray[np.float64]:
    """``times_s`` as a float64 vector of seconds; a single number becomes one frame.

    Raises
    ------
    InputError
        If they are not finite numbers on one axis.
    """
    times = np.atleast_1d(np.asarray(times_s, dtype=np.float64))
    if times.ndim != 1 or times.size == 0 or not np.isfinite(times).all():
        raise InputError("The times of a phantom must be a list of finite seconds.")
    return times
