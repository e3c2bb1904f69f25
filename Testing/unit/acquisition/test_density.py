from __future__ import annotations

import numpy as np
import pytest
from analytic_scene import DiscScene

from DynamicMRIReconLib.acquisition.density import density_weights
from DynamicMRIReconLib.acquisition.density_radial import radial_weights
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial, spiral
from DynamicMRIReconLib.errors import InputError

SIZE = 48


def gridded(trajectory: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Orthonormal weighted adjoint of the analytic samples of the discs, by the plain sum."""
    kx, ky = np.moveaxis(trajectory.reshape(-1, 2).astype(float), -1, 0)
    samples = DiscScene().spectrum(kx, ky) * SIZE * weights.ravel()
    place = (np.arange(SIZE) - SIZE // 2) / SIZE
    along_x, along_y = (np.exp(2j * np.pi * k[:, None] * place) for k in (kx, ky))
    return np.einsum("p,py,px->yx", samples, along_y, along_x, optimize=True) / SIZE


def middle(image: np.ndarray) -> complex:
    return complex(image[SIZE // 2 - 6 : SIZE // 2 + 6, SIZE // 2 - 6 : SIZE // 2 + 6].mean())


def outward(spokes: int) -> np.ndarray:
    angle = np.deg2rad(np.arange(spokes) * 222.4922)
    radius = np.arange(SIZE) / 2
    return np.stack([np.cos(angle)[:, None] * radius, np.sin(angle)[:, None] * radius], axis=-1)[None].astype(
        np.float32
    )


def delayed(shift: float) -> np.ndarray:
    """Spokes displaced along their direction, as gradient delays do."""
    trajectory = golden_angle_radial(1, 120, SIZE)
    return trajectory + shift * (trajectory[:, :, 1:2] - trajectory[:, :, :1])


RADIAL = {
    "golden": golden_angle_radial(1, 120, SIZE),
    "few golden": golden_angle_radial(1, 21, SIZE),
    "uniform": golden_angle_radial(1, 90, SIZE, angle_deg=None),
    "no oversampling": golden_angle_radial(1, 120, SIZE, readout_oversampling=1),
    "outward": outward(160),
    "delayed 0.2": delayed(0.2),
    "delayed 0.5": delayed(0.5),
}


@pytest.mark.parametrize("name", RADIAL)
def test_radial_weights_are_the_ramp_and_keep_the_intensity(name: str) -> None:
    trajectory = RADIAL[name]
    assert radial_weights(trajectory[0].astype(float)) is not None
    weights = density_weights(trajectory, (1, SIZE, SIZE))
    assert weights.shape == trajectory.shape[:-1]
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(np.pi * SIZE**2 / 4, rel=0.03)
    assert abs(middle(gridded(trajectory, weights)) - 1) < (0.03 if name == "few golden" else 0.01)


@pytest.mark.parametrize("values", [{"f_sampling": 0.5}, {"f_sampling": 0.5, "alpha": 2.0}])
def test_iterative_weights_of_full_spirals_keep_the_intensity(values: dict[str, float]) -> None:
    trajectory = spiral(1, 13, SIZE, 200, **values)  # type: ignore[arg-type]
    assert radial_weights(trajectory[0].astype(float)) is None
    weights = density_weights(trajectory, (SIZE, SIZE))
    assert abs(middle(gridded(trajectory, weights)) - 1) < 0.03


def test_the_full_grid_has_weights_of_one() -> None:
    k = np.stack(np.meshgrid(*2 * [np.arange(-12, 12)]), axis=-1)[None].astype(np.float32)
    assert np.allclose(density_weights(k, (24, 24)), 1, atol=1e-5)
    twice = np.concatenate([k, k], axis=1)
    assert np.allclose(density_weights(twice, (24, 24)), 0.5, atol=1e-5)


def test_volumes_have_weights_too() -> None:
    k = np.stack(np.meshgrid(*3 * [np.arange(-4, 4)], indexing="ij"), axis=-1).reshape(1, 64, 8, 3)
    assert np.allclose(density_weights(k.astype(np.float32), (8, 8, 8)), 1, atol=1e-5)


def test_every_frame_has_its_own_weights_and_turned_frames_share_them() -> None:
    trajectory = spiral(3, 6, SIZE, 200, f_sampling=0.5)
    weights = density_weights(trajectory, (SIZE, SIZE))
    alone = np.stack([density_weights(frame[None], (SIZE, SIZE))[0] for frame in trajectory])
    assert np.array_equal(weights[0], weights[2])
    assert np.allclose(weights, alone, rtol=0.1, atol=0.02)
    mixed = np.concatenate([trajectory[:1], trajectory[1:2] * np.float32(0.8)])
    assert not np.allclose(*density_weights(mixed, (SIZE, SIZE)), rtol=0.1)


def test_undersampled_spirals_keep_the_mean() -> None:
    """What lies between the arms is given to them: six of thirteen keep the mean within 15 %, not at 6 / 13."""
    trajectory = spiral(1, 6, SIZE, 200, f_sampling=0.5)
    image = gridded(trajectory, density_weights(trajectory, (SIZE, SIZE)))
    mean = DiscScene().spectrum(np.zeros(1), np.zeros(1))[0].real
    assert image.real.mean() == pytest.approx(mean, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 4, 8), (1, 4, 8, 4)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="trajectory"):
        density_weights(np.zeros(shape, np.float32), (8, 8))


def test_wrong_units_are_refused() -> None:
    with pytest.raises(InputError, match="units"):
        density_weights(golden_angle_radial(1, 4, 16)[:, :, 20:] * 1000, (16, 16))
