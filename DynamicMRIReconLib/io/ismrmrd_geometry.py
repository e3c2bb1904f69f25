"""Where the image of an ISMRMRD file lies: from position and direction vectors to an affine in RAS millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions

# ISMRMRD's patient coordinates point left and posterior, ours right and anterior: a rotation by 180 degrees about z.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
# Cosine of 1 degree: slices tilted by more against each other do not make a volume.
PARALLEL = 0.99985


@dataclass(frozen=True)
class Placement:
    """``affine`` may be left-handed (3-D encoding only); ``place`` maps the slice counter to the index along z."""

    affine: NDArray[np.float64]
    place: dict[int, int]


def slice_placement(
    file: Acquisitions,
    heads: NDArray[Any],
    matrix: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    *,
    volume: bool,
) -> Placement:
    """Affine of the grid ``matrix`` (x, y, z) and the order of the slices.

    An acquisition's position is where the centre of its Fourier transform, index N // 2, lies. Slices are ordered along
    read x phase, so that the axes are right-handed, and their distance is that of their positions, whatever the header
    says. With ``volume`` (one 3-D encoded slab) z runs along the slice direction as it is.

    Raises
    ------
    InputError
        Directions are not perpendicular unit vectors, or slices are not parallel.
    """
    numbers, first = np.unique(heads["idx"]["slice"], return_index=True)
    read, phase, through = (heads[name][first].astype(float) for name in ("read_dir", "phase_dir", "slice_dir"))
    positions = heads["position"][first].astype(float) @ LPS_TO_RAS
    in_file_order = {int(number): z for z, number in enumerate(numbers)}
    if not read.any() or not phase.any():
        file.warn("The file gives no slice position and directions: a grid centred on the origin is assumed.")
        return Placement(_centred(matrix, spacing_mm), in_file_order)
    x, y = _unit(file, read[0]) @ LPS_TO_RAS, _unit(file, phase[0]) @ LPS_TO_RAS
    if abs(x @ y) > 1e-3:
        raise InputError(f"{file.name}: its readout and phase directions are not perpendicular, so it has no place.")
    if (read @ read[0] < PARALLEL).any() or (phase @ phase[0] < PARALLEL).any():
        raise InputError(
            f"{file.name} holds slices of differing orientation, which do not make one volume: split the file by slice."
        )
    if (np.abs(heads["position"].astype(float) @ LPS_TO_RAS - positions[_inverse(heads, numbers)]) > 0.1).any():
        file.warn("The slice position changes during the acquisition; the position of each slice's first line is used.")
    normal = np.cross(x, y)
    if volume:
        given = through[0] @ LPS_TO_RAS
        z_step = (-normal if given @ normal < 0 else normal) * spacing_mm[2]
        corner = positions[0] - z_step * (matrix[2] // 2)
        place = in_file_order
    else:
        order = np.argsort(positions @ normal, kind="stable")
        place = {int(numbers[i]): z for z, i in enumerate(order)}
        z_step = _slice_step(file, positions[order], normal, spacing_mm[2])
        corner = positions[order[0]]
    affine = np.eye(4)
    affine[:3, :3] = np.stack([x * spacing_mm[0], y * spacing_mm[1], z_step], axis=1)
    affine[:3, 3] = corner - affine[:3, 0] * (matrix[0] // 2) - affine[:3, 1] * (matrix[1] // 2)
    return Placement(affine, place)


def _slice_step(
    file: Acquisitions, positions: NDArray[np.float64], normal: NDArray[np.float64], thickness_mm: float
) -> NDArray[np.float64]:
    """Vector from slice to slice: the mean step of ``positions``, already ordered along ``normal``."""
    if len(positions) == 1:
        return normal * thickness_mm
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    length = float(np.linalg.norm(step))
    if length < 1e-3:
        file.warn(f"All slices have the same position: {thickness_mm:g} mm from slice to slice is assumed.")
        return normal * thickness_mm
    if step @ normal < PARALLEL * length:
        raise InputError(
            f"{file.name}: its slices are shifted sideways against each other, so they do not make one volume: "
            "split the file by slice."
        )
    uneven = np.abs(positions - positions[0] - np.arange(len(positions))[:, None] * step).max()
    if uneven > 0.1:
        file.warn(f"The slices are not evenly spaced: positions are off by up to {uneven:.1f} mm.")
    return step


def _unit(file: Acquisitions, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or abs(length - 1) > 1e-2:
        raise InputError(f"{file.name}: a direction in it is not a unit vector but has the length {length:g}.")
    return vector / length


def _inverse(heads: NDArray[Any], numbers: NDArray[Any]) -> NDArray[np.intp]:
    return np.searchsorted(numbers, heads["idx"]["slice"])


def _centred(matrix: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    return Geometry.centred((matrix[2], matrix[1], matrix[0]), spacing_mm).affine
