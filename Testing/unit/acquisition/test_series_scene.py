from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.acquisition.sampling import band_limited
from DynamicMRIReconLib.acquisition.series_scene import SeriesScene
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry

OBLIQUE = np.array([[-0.77, 0.26, 0.0], [-0.35, -0.94, 0.0], [0.53, -0.23, 0.0]])
MARKER_XY = (9.3, 6.6)


def series_with_marker(shape_yx: tuple[int, int], frames: int = 2) -> tuple[ImageSeries, np.ndarray]:
    """A Gaussian spot off every axis of symmetry, and its RAS position."""
    x_axis = OBLIQUE[:, 0] / np.linalg.norm(OBLIQUE[:, 0])
    y_axis = OBLIQUE[:, 1] - x_axis * (x_axis @ OBLIQUE[:, 1])
    y_axis /= np.linalg.norm(y_axis)
    directions = np.stack([x_axis, y_axis, np.cross(x_axis, y_axis)], axis=1)
    geometry = Geometry.from_parts((2.0, 2.5, 6.0), (12.0, -40.0, 7.0), directions)
    y, x = np.indices(shape_yx)
    spot = np.exp(-((x - MARKER_XY[0]) ** 2 + (y - MARKER_XY[1]) ** 2) / (2 * 1.6**2))
    array = spot * (1 + np.arange(frames))[:, None, None, None]
    return ImageSeries(array.astype(np.float32), geometry.affine, 0.5 + 0.1 * np.arange(frames)), geometry.to_ras(
        (*MARKER_XY, 0)
    )


def spot_ras(image: np.ndarray, geometry: Geometry) -> np.ndarray:
    weight = np.where(np.abs(image) > 0.05 * np.abs(image).max(), np.abs(image), 0)
    y, x = (np.average(place, weights=weight) for place in np.indices(image.shape))
    return geometry.to_ras((x, y, 0))


@pytest.mark.parametrize("shape_yx", [(24, 24), (23, 23), (24, 31), (27, 20), (31, 24)])
@pytest.mark.parametrize("new", [24, 31, 62, 64])
def test_marker_keeps_its_ras_position_on_every_grid(shape_yx: tuple[int, int], new: int) -> None:
    series, ras = series_with_marker(shape_yx)
    scene = SeriesScene(series)
    image = scene.render([0.5], (1, new, new))[0, 0]
    assert np.abs(spot_ras(image, scene.geometry((1, new, new))) - ras).max() < 0.1 * 2.0
    assert image.sum().real / new**2 == pytest.approx(series.array[0].sum() / max(shape_yx) ** 2, rel=1e-4)


@pytest.mark.parametrize("shape_yx", [(24, 31), (27, 20), (23, 23)])
@pytest.mark.parametrize("matrix", [None, 28, 33])
def test_marker_keeps_its_ras_position_through_the_simulated_acquisition(
    shape_yx: tuple[int, int], matrix: int | None
) -> None:
    series, ras = series_with_marker(shape_yx)
    parameters = SimulationParameters(
        trajectory="cartesian", acceleration=1, coils=1, noise=0, matrix=matrix, central_lines=4
    )
    kspace, truth = simulate(SeriesScene(series), parameters)
    axes = (-2, -1)
    shifted = np.fft.ifftshift(kspace.samples[:, 0, 0], axes=axes)
    image = np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=axes)
    assert np.abs(spot_ras(image[0], kspace.geometry) - ras).max() < 0.1 * 2.0
    assert np.abs(spot_ras(truth.array[0, 0], truth.geometry) - ras).max() < 0.1 * 2.0
    assert np.allclose(kspace.times_s, series.times_s)


def test_the_own_grid_gives_the_series_back() -> None:
    series, _ = series_with_marker((24, 24))
    scene = SeriesScene(series)
    assert np.allclose(scene.render(series.times_s, (1, 24, 24)), series.array, atol=1e-5)
    assert np.allclose(scene.geometry((1, 24, 24)).affine, series.affine)
    fine = scene.render([0.5], (1, 48, 48))[0]
    assert np.allclose(fine[:, ::2, ::2], series.array[0], atol=1e-5)
    assert np.allclose(band_limited(fine, (24, 24)), series.array[0], atol=2e-2)


def test_complex_series_keep_their_phase() -> None:
    series, _ = series_with_marker((24, 24))
    turned = ImageSeries(series.array * np.exp(0.7j), series.affine, series.times_s)
    image = SeriesScene(turned).render([0.5], (1, 48, 48))
    assert np.allclose(image * np.exp(-0.7j), SeriesScene(series).render([0.5], (1, 48, 48)), atol=1e-5)


def test_time_is_linear_between_frames_and_held_or_repeated_outside() -> None:
    series, _ = series_with_marker((12, 12), frames=4)
    held, cyclic = SeriesScene(series), SeriesScene(series, cyclic=True)

    def brightness(scene: SeriesScene, time_s: float) -> float:
        return float(scene.render([time_s], (1, 12, 12))[0, 0, 7, 9].real / series.array[0, 0, 7, 9])

    assert held.duration_s == pytest.approx(0.4)
    assert held.start_s == pytest.approx(0.45)
    assert brightness(held, 0.525) == pytest.approx(1.25, abs=1e-4)
    assert brightness(held, 0.1) == pytest.approx(1)
    assert brightness(held, 3.0) == pytest.approx(4)
    assert brightness(cyclic, 0.5 + 0.4 + 0.125) == pytest.approx(2.25, abs=1e-4)
    # from the last frame back to the first
    assert brightness(cyclic, 0.85) == pytest.approx(2.5, abs=1e-4)
    assert brightness(cyclic, 0.45) == pytest.approx(2.5, abs=1e-4)


def test_another_number_of_slices_is_refused() -> None:
    series, _ = series_with_marker((12, 12))
    with pytest.raises(InputError, match="1 slice"):
        SeriesScene(series).render([0.0], (2, 12, 12))
