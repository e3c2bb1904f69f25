from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from analytic_scene import CENTRE_RAS_MM, FOV_MM, DiscScene
from pydantic import ValidationError

from DynamicMRIReconLib.acquisition.birdcage import birdcage_maps
from DynamicMRIReconLib.acquisition.density import density_weights
from DynamicMRIReconLib.acquisition.simulate import SeriesScene, SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry

SIZE = 48


def run(scene: Any = None, **values: Any) -> tuple[KSpace, ImageSeries]:
    settings = {"matrix": SIZE, "frames": 1, "coils": 1, "noise": 0.0, **values}
    return simulate(scene or DiscScene(), SimulationParameters(**settings))


def centred_ifft(samples: np.ndarray) -> np.ndarray:
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(samples, axes=axes), norm="ortho"), axes=axes)


def exact_adjoint(trajectory: np.ndarray, samples: np.ndarray, size: int) -> np.ndarray:
    """The sum of the convention, written out: (coils, points) to (coils, size, size)."""
    k = trajectory.reshape(-1, 2).astype(float)
    place = (np.arange(size) - size // 2) / size
    along_x, along_y = (np.exp(2j * np.pi * k[:, d, None] * place) for d in (0, 1))
    return np.einsum("cp,py,px->cyx", samples.reshape(len(samples), -1), along_y, along_x, optimize=True) / size


def relative(value: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(value - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("size", [SIZE, 45])
@pytest.mark.parametrize("trajectory", ["radial", "spiral"])
def test_samples_equal_the_analytic_transform(trajectory: str, size: int) -> None:
    kspace, _ = run(trajectory=trajectory, matrix=size)
    assert kspace.trajectory is not None
    kx, ky = np.moveaxis(kspace.trajectory[0].astype(float), -1, 0)
    expected = DiscScene().spectrum(kx, ky) * size
    assert relative(kspace.samples[0, 0], expected) < 2e-3


@pytest.mark.parametrize("size", [SIZE, 45])
def test_cartesian_samples_equal_the_analytic_transform(size: int) -> None:
    kspace, _ = run(trajectory="cartesian", matrix=size, acceleration=3)
    assert kspace.mask is not None
    ky, kx = np.meshgrid(*2 * [np.arange(size) - size // 2], indexing="ij")
    expected = DiscScene().spectrum(kx, ky) * size * kspace.mask[0, 0]
    assert kspace.mask[0, 0, :, 0].sum() == size // 3
    assert relative(kspace.samples[0, 0, 0], expected) < 2e-3


def test_marker_at_positive_x_comes_back_there_at_its_own_intensity() -> None:
    kspace, truth = run(trajectory="cartesian", acceleration=1)
    image = centred_ifft(kspace.samples[0, 0, 0])
    # the marker alone: right of the middle disc
    marker = np.where(np.arange(SIZE) - SIZE // 2 > 0.235 * SIZE, np.abs(image), 0)
    marker[marker < 0.5] = 0
    y, x = (np.average(place, weights=marker) for place in np.indices(image.shape))
    assert abs(x - SIZE // 2 - 0.31 * SIZE) < 0.1
    assert abs(y - SIZE // 2 - 0.12 * SIZE) < 0.1
    assert abs(image[SIZE // 2, SIZE // 2] - 1) < 0.02
    assert relative(image, truth.array[0, 0]) < 1e-4
    ras = kspace.geometry.to_ras((x, y, 0))
    assert np.allclose(ras[:2], np.array(CENTRE_RAS_MM)[:2] + FOV_MM * np.array([0.31, 0.12]), atol=0.1 * FOV_MM / SIZE)


@pytest.mark.parametrize(("trajectory", "shots", "limit"), [("radial", 120, 0.01), ("spiral", 13, 0.04)])
def test_dense_gridding_gives_the_truth(trajectory: str, shots: int, limit: float) -> None:
    kspace, truth = run(trajectory=trajectory, shots=shots, coils=4, tr_s=1e-6)
    assert kspace.trajectory is not None
    weights = density_weights(kspace.trajectory, kspace.matrix)
    coil_images = exact_adjoint(kspace.trajectory, kspace.samples[0] * weights[0], SIZE)
    image = (birdcage_maps(4, kspace.matrix)[:, 0].conj() * coil_images).sum(0)
    middle = image[SIZE // 2 - 6 : SIZE // 2 + 6, SIZE // 2 - 6 : SIZE // 2 + 6]
    assert abs(middle.mean() - 1) < limit
    assert relative(image, truth.array[0, 0]) < 0.06


def test_every_shot_is_taken_at_its_own_time() -> None:
    kspace, truth = run(DiscScene(growth_per_s=3.0), shots=5, frames=2, tr_s=0.1)
    still, _ = run(DiscScene(), shots=5, frames=2, tr_s=0.1)
    ratio = (kspace.samples[:, 0, :, SIZE] / still.samples[:, 0, :, SIZE]).real.ravel()
    assert np.allclose(ratio, 1 + 3 * (np.arange(10) + 0.5) * 0.1, rtol=1e-4)
    assert np.allclose(kspace.times_s, [0.25, 0.75])
    assert np.allclose(truth.array[:, 0, SIZE // 2, SIZE // 2].real, 1 + 3 * kspace.times_s, rtol=0.02)
    grouped, _ = run(DiscScene(growth_per_s=3.0), shots=5, frames=2, tr_s=0.1, times_per_frame=1)
    ratio = (grouped.samples[:, 0, :, SIZE] / still.samples[:, 0, :, SIZE]).real
    assert np.allclose(ratio, 1 + 3 * kspace.times_s[:, None], rtol=1e-4)


def test_cartesian_lines_are_taken_at_their_own_times() -> None:
    kspace, _ = run(DiscScene(growth_per_s=3.0), trajectory="cartesian", frames=2, tr_s=0.1, acceleration=6)
    still, _ = run(DiscScene(), trajectory="cartesian", frames=2, tr_s=0.1, acceleration=6)
    assert still.mask is not None
    lines = still.mask[:, 0, :, 0]
    ratio = (kspace.samples[:, 0, 0, :, SIZE // 2][lines] / still.samples[:, 0, 0, :, SIZE // 2][lines]).real
    assert np.allclose(ratio, 1 + 3 * (np.arange(16) + 0.5) * 0.1, rtol=1e-3)


def test_noise_has_the_stated_size_and_comes_from_the_seed() -> None:
    clean, truth = run(trajectory="cartesian", acceleration=2, coils=4)
    noisy, _ = run(trajectory="cartesian", acceleration=2, coils=4, noise=0.05)
    again, _ = run(trajectory="cartesian", acceleration=2, coils=4, noise=0.05)
    other, _ = run(trajectory="cartesian", acceleration=2, coils=4, noise=0.05, seed=1)
    assert noisy.mask is not None
    difference = np.moveaxis(noisy.samples - clean.samples, 1, -1)
    assert np.sqrt(np.mean(np.abs(difference[noisy.mask]) ** 2)) == pytest.approx(
        0.05 * np.abs(truth.array).max(), rel=0.05
    )
    assert not difference[~noisy.mask].any()
    assert np.array_equal(noisy.samples, again.samples)
    assert not np.array_equal(noisy.samples, other.samples)


def test_coil_maps_come_only_when_asked_for() -> None:
    without, _ = run(coils=4)
    with_maps, _ = run(coils=4, include_coil_maps=True)
    assert without.coil_maps is None
    assert with_maps.coil_maps is not None
    assert np.allclose((np.abs(with_maps.coil_maps) ** 2).sum(0), 1, atol=1e-5)
    assert without.metadata["simulated"] is True
    assert without.metadata["simulation"]["coils"] == 4


@pytest.mark.parametrize("trajectory", ["radial", "cartesian"])
def test_slices_are_kept_apart(trajectory: str) -> None:
    rng = np.random.default_rng(0)
    array = np.zeros((2, 3, 40, 40), np.float32)
    array[:, :, 10:30, 10:30] = rng.uniform(0.2, 1, (2, 3, 1, 1)) * np.ones((20, 20))
    affine = Geometry.centred((3, 40, 40), (2, 2, 8)).affine
    series = ImageSeries(array, affine, [0.0, 0.1])
    kspace, truth = simulate(
        SeriesScene(series), SimulationParameters(trajectory=trajectory, coils=2, noise=0, acceleration=1)
    )
    assert kspace.matrix == (3, 40, 40)
    assert np.allclose(kspace.affine, affine)
    assert np.allclose(kspace.times_s, series.times_s)
    for z, part in enumerate(kspace.slices()):
        alone = ImageSeries(array[:, z : z + 1], part.affine, series.times_s)
        expected, _ = simulate(
            SeriesScene(alone), SimulationParameters(trajectory=trajectory, coils=2, noise=0, acceleration=1)
        )
        assert relative(part.samples, expected.samples) < 1e-6
    assert relative(truth.array, array) < 0.02


def test_parameters_are_checked() -> None:
    with pytest.raises(ValidationError, match="extra"):
        SimulationParameters(spokes=3)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="two of"):
        SimulationParameters(frames=3, tr_s=0.01, duration_s=1.0)
    with pytest.raises(ValidationError):
        SimulationParameters(noise=-1)
    with pytest.raises(InputError, match="central lines"):
        run(trajectory="cartesian", acceleration=12, central_lines=10)
    assert all(field.description for field in SimulationParameters.model_fields.values())


def test_frames_fill_the_scene_when_only_the_time_between_shots_is_given() -> None:
    kspace, _ = run(frames=None, shots=5, tr_s=0.02)
    assert kspace.frames == 10
