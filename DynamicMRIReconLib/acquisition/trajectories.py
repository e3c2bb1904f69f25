"""Where in k-space the shots run: golden-angle radial and rotating spirals.

Trajectories are float32 ``(frames, shots, readout, 2)`` in order kx, ky, in cycles per field of view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError

#: 180 degrees times the golden ratio's inverse (S. Winkelmann et al., IEEE Trans. Med. Imaging 26 (2007) 68-76)
GOLDEN_ANGLE_DEG = 180 * (np.sqrt(5) - 1) / 2
_FEWEST_SPIRAL_SAMPLES = 4


def golden_angle_radial(
    frames: int,
    spokes: int,
    matrix: int,
    *,
    readout_oversampling: int = 2,
    angle_deg: float | None = GOLDEN_ANGLE_DEG,
) -> NDArray[np.float32]:
    """Full spokes through the centre, the i-th of the whole acquisition at ``i * angle_deg`` from +kx towards +ky.

    Sample j of a spoke lies at ``(j - readout // 2) * matrix / readout``, ``readout = readout_oversampling * matrix``:
    from -N/2 to one step below +N/2 (even readout), with k = 0 exactly on sample ``readout // 2``.

    Parameters
    ----------
    frames, spokes
        Number of frames, and of spokes in each; spokes are counted on from frame to frame.
    matrix
        Image side N in voxels.
    readout_oversampling
        Samples along a spoke for each voxel of the image.
    angle_deg
        Increment from spoke to spoke; None spaces the spokes of every frame evenly over 180 degrees.

    Raises
    ------
    InputError
        If a number is below 1.
    """
    _check_counts(frames=frames, spokes=spokes, matrix=matrix, readout_oversampling=readout_oversampling)
    number = np.arange(frames * spokes, dtype=np.float64)
    angle = np.pi * (number % spokes) / spokes if angle_deg is None else np.deg2rad(number * angle_deg)
    readout = readout_oversampling * matrix
    radius = (np.arange(readout) - readout // 2) * (matrix / readout)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = directions[:, None, :] * radius[None, :, None]
    return points.reshape(frames, spokes, readout, 2).astype(np.float32)


def spiral(
    frames: int,
    arms_per_frame: int,
    matrix: int,
    fov_mm: float,
    *,
    arms: int = 13,
    R: float = 1.0,
    f_sampling: float = 1.0,
    alpha: float = 1.0,
    max_gradient_t_per_m: float = 0.022,
    max_slew_t_per_m_s: float = 130.0,
) -> NDArray[np.float32]:
    """Spiral-out arms, the i-th of the whole acquisition turned by ``i * step * 360 / arms`` degrees.

    ``step`` is the whole number without common divisor with ``arms`` nearest to their golden section (8 for 13), so
    that any few arms in a row are spread over the circle, and all of them come once in ``arms`` shots.

    D.-H. Kim, E. Adalsteinsson, D. M. Spielman, Magn. Reson. Med. 50 (2003) 214-219, by ``sigpy.mri.spiral``.

    Parameters
    ----------
    frames, arms_per_frame
        Number of frames, and of arms in each; arms are counted on from frame to frame.
    matrix, fov_mm
        Image side in voxels and in millimetres.
    arms
        Arms that together cover k-space once when ``R`` is 1; fewer in a frame undersample it.
    R
        Radial undersampling of all ``arms`` together: 13/6 makes 6 of 6 arms as sparse as 6 of 13.
    f_sampling
        Undersampling along the arm: the spacing of samples at its outer end in cycles per field of view.
    alpha
        Density exponent, radius ~ (angle) ** alpha; 1 is the Archimedean spiral.
    max_gradient_t_per_m, max_slew_t_per_m_s
        Gradient limits; they decide how samples are spread along the arm.

    Raises
    ------
    InputError
        If a number is out of range, or the limits leave no usable arm.
    """
    from sigpy.mri import spiral as sigpy_spiral

    _check_counts(frames=frames, arms_per_frame=arms_per_frame, matrix=matrix, arms=arms)
    sizes = {
        "fov_mm": fov_mm,
        "R": R,
        "f_sampling": f_sampling,
        "alpha": alpha,
        "max_gradient_t_per_m": max_gradient_t_per_m,
        "max_slew_t_per_m_s": max_slew_t_per_m_s,
    }
    for name, value in sizes.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"Spiral trajectory: {name} must be positive, not {value:g}.")
    if 2 * arms * R > matrix:
        raise InputError(
            f"Spiral trajectory: {arms} arms at R = {R:g} need a matrix of at least {int(np.ceil(2 * arms * R))}, not "
            f"{matrix}: use fewer arms or a smaller R."
        )
    fov_m = fov_mm * 1e-3
    # sigpy sets its sample spacing at the end of gradient-limited arms; where slew alone limits the arm it has none
    with np.errstate(divide="ignore", invalid="ignore"):
        try:
            cycles_per_m = sigpy_spiral(
                fov_m, matrix, f_sampling, R, arms, alpha, max_gradient_t_per_m, max_slew_t_per_m_s
            )
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise InputError(f"Spiral trajectory: no arm fits these numbers ({error}); see matrix and arms.") from error
    arm = np.asarray(cycles_per_m, float)[: len(cycles_per_m) // arms] * fov_m
    if len(arm) < _FEWEST_SPIRAL_SAMPLES or not np.isfinite(arm).all():
        raise InputError(
            f"Spiral trajectory: with matrix {matrix}, {fov_mm:g} mm and {arms} arms the gradient never reaches "
            f"{max_gradient_t_per_m * 1e3:g} mT/m: lower the gradient limit or use fewer arms."
        )
    turn = 2 * np.pi * (np.arange(frames * arms_per_frame) * _golden_step(arms) % arms) / arms
    points = np.exp(1j * turn)[:, None] * (arm[:, 0] + 1j * arm[:, 1])[None, :]
    # the radius ends at N/2 up to rounding
    points *= np.minimum(1.0, matrix / 2 / np.maximum(np.abs(points), 1e-12))
    trajectory = np.stack([points.real, points.imag], axis=-1)
    return trajectory.reshape(frames, arms_per_frame, len(arm), 2).astype(np.float32)


def _golden_step(arms: int) -> int:
    """The whole number coprime to ``arms`` that is nearest to ``arms`` times the golden ratio's inverse."""
    golden = arms * GOLDEN_ANGLE_DEG / 180
    return min((step for step in range(1, arms + 1) if np.gcd(step, arms) == 1), key=lambda step: abs(step - golden))


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if int(value) != value or value < 1:
            raise InputError(f"Trajectory: {name} must be a whole number of at least 1, not {value!r}.")
