"""Simulated coil sensitivity maps: long conductors around the object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError


def birdcage_maps(coils: int, shape_zyx: Sequence[int], *, radius: float = 1.5) -> NDArray[np.complex64]:
    """Smooth complex maps (coils, z, y, x) whose root sum of squares is 1 everywhere; a single coil gives ones.

    Coil c is a straight wire along z at angle ``2 pi c / coils`` on a circle of ``radius`` half fields of view about
    index N // 2; its transverse field, as a complex number, is 1 / (position - wire). Positions are fractions of the
    field of view, so every grid samples the same maps, and so does every slice.

    Raises
    ------
    InputError
        If there is no coil, a size is not three positive numbers, or the wires would stand inside the field of view.
    """
    if coils < 1 or len(shape_zyx) != 3 or min(shape_zyx) < 1:
        raise InputError(f"Coil maps need at least one coil and a shape (z, y, x), not {coils} and {tuple(shape_zyx)}.")
    if radius <= np.sqrt(2):
        raise InputError(f"The coils must stand outside the field of view: radius above 1.42, not {radius:g}.")
    slices, rows, columns = shape_zyx
    if coils == 1:
        return np.ones((1, slices, rows, columns), np.complex64)
    x = 2 * (np.arange(columns) - columns // 2) / columns
    y = 2 * (np.arange(rows) - rows // 2) / rows
    angle = 2 * np.pi * np.arange(coils) / coils
    wire = radius * np.exp(1j * angle)
    # turned so that every coil has the phase 0 at the centre of the field of view
    maps = -np.exp(1j * angle)[:, None, None] / (x[None, None, :] + 1j * y[None, :, None] - wire[:, None, None])
    maps /= np.sqrt((np.abs(maps) ** 2).sum(axis=0))
    return np.broadcast_to(maps[:, None], (coils, slices, rows, columns)).astype(np.complex64)
