"""Which Cartesian grid points are sampled: bool ``(frames, z, ky, kx)``, centred, k = 0 at index N // 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError

#: name -> undersampling along the readout; all have 6 arms at a radial undersampling of 13/6
SPIRAL_MASKS = {"arms6_1": 1.0, "arms6_2": 2.0, "arms6_6": 6.0}


def variable_density_mask(
    frames: int,
    shape_zyx: tuple[int, int, int],
    acceleration: float = 8.0,
    central_lines: int = 10,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Whole ky lines: the central ones always, the others drawn anew for each frame, denser near the centre.

    ``floor(N / acceleration)`` lines a frame, central ones included; the others are drawn without replacement from
    ``exp(-0.5 ((i - N/2) / (N/10))**2) + 1 / (2 acceleration)`` (H. Jung et al., Magn. Reson. Med. 61 (2009) 103-116,
    as J. Schlemper et al., IEEE Trans. Med. Imaging 37 (2018) 491-503 use it). All slices share the lines of a frame.

    Raises
    ------
    InputError
        If the acceleration is below 1, or leaves fewer lines than ``central_lines``.
    """
    slices, rows, columns = shape_zyx
    if frames < 1 or min(shape_zyx) < 1:
        raise InputError(f"A mask needs at least one frame and one grid point on each axis, not {frames}, {shape_zyx}.")
    if not acceleration >= 1:
        raise InputError(f"The acceleration must be at least 1, not {acceleration:g}.")
    lines = int(np.floor(rows / acceleration + 1e-9))
    if not 0 <= central_lines <= lines or lines < 1:
        raise InputError(
            f"Acceleration {acceleration:g} leaves {lines} of {rows} lines a frame, fewer than the {central_lines} "
            "central lines asked for: lower one of the two."
        )
    index = np.arange(rows)
    density = np.exp(-0.5 * ((index - rows / 2) / (rows / 10)) ** 2) + 1 / (2 * acceleration)
    first = rows // 2 - central_lines // 2
    central = (index >= first) & (index < first + central_lines)
    density[central] = 0
    total = density.sum()
    rng = np.random.default_rng(seed)
    mask = np.zeros((frames, rows), bool)
    for frame in range(frames):
        mask[frame, central] = True
        if lines > central_lines:
            mask[frame, rng.choice(rows, lines - central_lines, replace=False, p=density / total)] = True
    return np.broadcast_to(mask[:, None, :, None], (frames, slices, rows, columns)).copy()


def spiral_mask(
    matrix: int,
    *,
    arms: int = 6,
    R: float = 13 / 6,
    readout_undersampling: float = 1.0,
    alpha: float = 1.0,
    rotation_deg: float = 0.0,
) -> NDArray[np.bool_]:
    """(N, N) grid points nearest to the samples of ``arms`` interleaved spirals.

    The first arm is turned by ``rotation_deg`` from +kx towards +ky. Samples lie at equal arc length,
    ``readout_undersampling`` cycles per field of view apart; samples whose cell is outside the grid are dropped. Named
    settings: ``SPIRAL_MASKS`` through ``named_spiral_mask``.

    Raises
    ------
    InputError
        If a number is out of range, or the arms are too many for the matrix.
    """
    if matrix < 2 or arms < 1 or not min(R, readout_undersampling, alpha) > 0:
        raise InputError(
            "A spiral mask needs a matrix of at least 2, at least one arm, and positive R, steps and alpha."
        )
    reach = matrix / 2
    if arms * R >= reach:
        raise InputError(
            f"{arms} arms at R = {R:g} are too many for a matrix of {matrix}: use fewer arms or a smaller R."
        )
    turns = 1 / (1 - (1 - arms * R / reach) ** (1 / alpha))
    # fine enough that the arc length between two points is far below one grid cell
    tau = np.linspace(0, 1, int(64 * turns * matrix) + 1)
    curve = reach * tau**alpha * np.exp(2j * np.pi * turns * tau)
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(curve)))])
    at = np.arange(0, length[-1], readout_undersampling)
    arm = np.interp(at, length, curve.real) + 1j * np.interp(at, length, curve.imag)
    turn = np.deg2rad(rotation_deg) + 2 * np.pi * np.arange(arms) / arms
    points = (arm[None, :] * np.exp(1j * turn)[:, None]).ravel()
    x, y = (np.rint(part).astype(int) + matrix // 2 for part in (points.real, points.imag))
    inside = (x >= 0) & (x < matrix) & (y >= 0) & (y < matrix)
    mask = np.zeros((matrix, matrix), bool)
    mask[y[inside], x[inside]] = True
    return mask


def named_spiral_mask(
    name: str, matrix: int, *, R: float = 13 / 6, alpha: float = 1.0, rotation_deg: float = 0.0
) -> NDArray[np.bool_]:
    """(N, N) spiral mask ``arms6_1``, ``arms6_2`` or ``arms6_6`` (the last figure is the step along the readout).

    Raises
    ------
    InputError
        If the name is unknown.
    """
    if name not in SPIRAL_MASKS:
        raise InputError(f"There is no spiral mask {name!r}: choose one of {', '.join(SPIRAL_MASKS)}.")
    step = SPIRAL_MASKS[name]
    return spiral_mask(matrix, arms=6, R=R, readout_undersampling=step, alpha=alpha, rotation_deg=rotation_deg)
