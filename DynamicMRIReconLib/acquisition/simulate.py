"""A simulated acquisition of a scene: k-space, and the series that a perfect reconstruction would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.acquisition.birdcage import birdcage_maps
from DynamicMRIReconLib.acquisition.masks import variable_density_mask
from DynamicMRIReconLib.acquisition.noise import complex_noise
from DynamicMRIReconLib.acquisition.sampling import band_limited, sample_lines, sample_points
from DynamicMRIReconLib.acquisition.series_scene import SeriesScene
from DynamicMRIReconLib.acquisition.simulation_parameters import DEFAULT_SHOTS, SimulationParameters
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial, spiral
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.phantoms.scene import Scene

__all__ = ["SeriesScene", "SimulationParameters", "simulate"]

#: image side, and time from frame to frame, where neither parameters nor scene name one
_PHANTOM_MATRIX, _PHANTOM_FRAME_S = 128, 0.053


@dataclass(frozen=True)
class _Plan:
    """What is sampled when: one row a shot (a spoke, an arm, a Cartesian line)."""

    shape: tuple[int, int, int]
    frames: int
    #: (shots in all,) frame of each shot, and its time in seconds
    shot_frame: NDArray[np.intp]
    shot_time_s: NDArray[np.float64]
    frame_time_s: NDArray[np.float64]
    trajectory: NDArray[np.float32] | None
    mask: NDArray[np.bool_] | None


def simulate(scene: Scene, parameters: SimulationParameters) -> tuple[KSpace, ImageSeries]:
    """Scan ``scene`` as ``parameters`` say.

    The scene is looked at on a grid finer than the image (no inverse crime) at the time of every shot, multiplied by
    coil sensitivities evaluated on that grid, and sampled where the trajectory runs. Slices are acquired each for
    itself over the same times. Intensities: the reconstruction convention of ``KSpace`` gives back those of the scene.

    Returns
    -------
    tuple
        The k-space with noise, without coil maps unless asked for; and the true series, complex64: the scene in the
        middle of each frame, limited to the band of frequencies that the image grid can hold, on the image grid.

    Raises
    ------
    InputError
        If the parameters do not fit each other or the scene.
    """
    plan = _plan(scene, parameters)
    side = parameters.grid_factor * plan.shape[1]
    fine = (plan.shape[0], side, side)
    maps = birdcage_maps(parameters.coils, (1, *fine[1:]))[:, 0]
    truth = _truth(scene, plan, fine)
    samples = _acquire(scene, plan, parameters, fine, maps)
    if not np.any(samples):
        raise InputError("The scene is empty: nothing can be measured of it.")
    sd = parameters.noise * float(np.abs(truth).max())
    if sd > 0:
        noise = complex_noise(samples.shape, sd, parameters.seed)
        samples += noise if plan.mask is None else noise * plan.mask[:, None]
    if plan.mask is None and plan.shape[0] == 1:
        samples = samples[:, :, 0]
    notes: dict[str, Any] = {
        "source": f"simulated acquisition of {scene.title}",
        "simulated": True,
        "simulation": parameters.model_dump(mode="json"),
    }
    affine = scene.geometry(plan.shape).affine
    kspace = KSpace(
        samples,
        affine,
        plan.frame_time_s,
        image_shape=plan.shape,
        trajectory=plan.trajectory,
        mask=plan.mask,
        coil_maps=birdcage_maps(parameters.coils, plan.shape) if parameters.include_coil_maps else None,
        metadata=notes,
    )
    return kspace, ImageSeries(truth, affine, plan.frame_time_s, metadata={**notes, "source": f"{scene.title}, truth"})


def _plan(scene: Scene, parameters: SimulationParameters) -> _Plan:
    size = parameters.matrix or _of(scene, "side", _PHANTOM_MATRIX)
    shape = (parameters.slices or _of(scene, "slices", 1), size, size)
    if parameters.trajectory == "cartesian":
        shots = max(1, int(size / parameters.acceleration + 1e-9))
    else:
        shots = parameters.shots or DEFAULT_SHOTS[parameters.trajectory]
    duration_s = parameters.duration_s or scene.duration_s
    if not (np.isfinite(duration_s) and duration_s > 0):
        raise InputError(f"{scene.title} has no natural length: give duration_s, or frames and tr_s.")
    frames = parameters.frames or _frames(scene, parameters, duration_s, shots)
    tr_s = parameters.tr_s or duration_s / (frames * shots)
    trajectory: NDArray[np.float32] | None = None
    mask: NDArray[np.bool_] | None = None
    if parameters.trajectory == "cartesian":
        mask = variable_density_mask(frames, shape, parameters.acceleration, parameters.central_lines, parameters.seed)
    elif parameters.trajectory == "radial":
        oversampling = parameters.readout_oversampling
        trajectory = golden_angle_radial(frames, shots, size, readout_oversampling=oversampling)
    else:
        fov_mm = float(scene.geometry(shape).spacing_mm[:2].max() * size)
        trajectory = spiral(frames, shots, size, fov_mm, f_sampling=1 / parameters.readout_oversampling)
    start_s = float(getattr(scene, "start_s", 0.0))
    number = np.arange(frames * shots)
    time_s = np.asarray(start_s + (number + 0.5) * tr_s, np.float64)
    if parameters.times_per_frame:
        bins = min(parameters.times_per_frame, shots)
        which = (number % shots) * bins // shots
        middle = np.array([np.flatnonzero(which[:shots] == b).mean() for b in range(bins)])
        time_s = np.asarray(start_s + (number // shots * shots + middle[which] + 0.5) * tr_s, np.float64)
    frame_time_s = np.asarray(start_s + (np.arange(frames) + 0.5) * shots * tr_s, np.float64)
    return _Plan(shape, frames, number // shots, time_s, frame_time_s, trajectory, mask)


def _frames(scene: Scene, parameters: SimulationParameters, duration_s: float, shots: int) -> int:
    """As many frames as fill the duration; a series keeps its own number unless the time from shot to shot is given."""
    if parameters.tr_s is not None:
        return max(1, round(duration_s / (shots * parameters.tr_s)))
    return _of(scene, "frames", max(1, round(duration_s / _PHANTOM_FRAME_S)))


def _of(scene: Scene, name: str, otherwise: int) -> int:
    """What a scene says of its own size (a series does), else ``otherwise``."""
    value: int = getattr(scene, name, otherwise)
    return value


def _looks(
    scene: Scene, times_s: NDArray[np.float64], fine: tuple[int, int, int]
) -> Iterator[tuple[NDArray[np.complex64], NDArray[np.intp], NDArray[np.float32]]]:
    """Images (z, y, x), the indices into ``times_s`` that each contributes to, and with what weights.

    A series is linear in time, and so is the acquisition: each of its frames needs to be sampled only once.
    """
    if isinstance(scene, SeriesScene):
        index, weight = scene.weights(times_s)
        for frame in np.unique(index[weight > 0]).tolist():
            share = np.where(index == frame, weight, 0).sum(axis=1).astype(np.float32)
            used = np.flatnonzero(share)
            yield scene.render_frame(frame, fine), used, share[used]
        return
    moments, which = np.unique(times_s, return_inverse=True)
    for moment, time_s in enumerate(moments.tolist()):
        used = np.flatnonzero(which.ravel() == moment)
        yield scene.render([time_s], fine)[0], used, np.ones(len(used), np.float32)


def _truth(scene: Scene, plan: _Plan, fine: tuple[int, int, int]) -> NDArray[np.complex64]:
    truth = np.zeros((plan.frames, *plan.shape), np.complex64)
    for image, frames, weight in _looks(scene, plan.frame_time_s, fine):
        truth[frames] += weight[:, None, None, None] * band_limited(image, plan.shape[1:])
    return truth


def _acquire(
    scene: Scene,
    plan: _Plan,
    parameters: SimulationParameters,
    fine: tuple[int, int, int],
    maps: NDArray[np.complex64],
) -> NDArray[np.complex64]:
    """Samples (frames, coils, z, shots, readout) or (frames, coils, z, ky, kx), without noise."""
    shots = len(plan.shot_frame) // plan.frames
    slices, size = plan.shape[:2]
    lines: NDArray[np.intp] | None = None
    if plan.mask is not None:
        lines = np.concatenate([np.flatnonzero(frame[0, :, 0]) for frame in plan.mask])
        samples = np.zeros((plan.frames, parameters.coils, *plan.shape), np.complex64)
    else:
        assert plan.trajectory is not None
        points = plan.trajectory.reshape(-1, *plan.trajectory.shape[2:])
        samples = np.zeros((plan.frames, parameters.coils, slices, shots, points.shape[1]), np.complex64)
    for image, used, weight in _looks(scene, plan.shot_time_s, fine):
        frame = plan.shot_frame[used]
        for z in range(slices):
            coil_images = maps * image[z]
            if lines is not None:
                values = sample_lines(coil_images, lines[used], size)
                samples[frame, :, z, lines[used]] += weight[:, None, None] * values
            else:
                values = sample_points(coil_images, points[used], size)
                samples[frame, :, z, used % shots] += weight[:, None, None] * values
    return samples
