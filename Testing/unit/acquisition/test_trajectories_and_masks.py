from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.acquisition.masks import named_spiral_mask, spiral_mask, variable_density_mask
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial, spiral
from DynamicMRIReconLib.errors import InputError


def test_golden_angle_runs_on_over_frames() -> None:
    trajectory = golden_angle_radial(3, 5, 32)
    assert trajectory.shape == (3, 5, 64, 2)
    assert trajectory.dtype == np.float32
    ends = trajectory[:, :, -1].reshape(-1, 2)
    angle = np.rad2deg(np.unwrap(np.arctan2(ends[:, 1], ends[:, 0])))
    assert np.allclose(np.mod(np.diff(angle), 360), 111.24611797, atol=1e-3)


@pytest.mark.parametrize(("matrix", "oversampling"), [(32, 2), (32, 1), (31, 1), (31, 2)])
def test_spokes_pass_the_centre_and_stay_within_half_the_matrix(matrix: int, oversampling: int) -> None:
    trajectory = golden_angle_radial(1, 3, matrix, readout_oversampling=oversampling)
    readout = oversampling * matrix
    assert not trajectory[:, :, readout // 2].any()
    assert np.linalg.norm(trajectory, axis=-1).max() <= matrix / 2 * (1 + 1e-6)
    assert np.allclose(trajectory[0, 0, :, 0], (np.arange(readout) - readout // 2) / oversampling)


def test_uniform_spokes_are_evenly_spaced() -> None:
    trajectory = golden_angle_radial(2, 6, 16, angle_deg=None)
    angle = np.rad2deg(np.arctan2(trajectory[0, :, -1, 1], trajectory[0, :, -1, 0]))
    assert np.allclose(angle, np.arange(6) * 30, atol=1e-4)
    assert np.array_equal(trajectory[0], trajectory[1])


@pytest.mark.parametrize(("matrix", "fov_mm"), [(84, 200.0), (128, 300.0), (48, 200.0)])
def test_spiral_arms_turn_on_over_frames_and_end_at_half_the_matrix(matrix: int, fov_mm: float) -> None:
    trajectory = spiral(3, 6, matrix, fov_mm)
    points = trajectory.reshape(18, -1, 2)
    position = points[..., 0] + 1j * points[..., 1]
    assert np.allclose(position[13], position[0], atol=1e-3)
    assert np.allclose(position[7], position[0] * np.exp(2j * np.pi * 7 * 8 / 13), atol=1e-3)
    assert not position[:, 0].any()
    radius = np.abs(position)
    assert radius.max() <= matrix / 2 * (1 + 1e-6)
    # the last sample may stop one step short of the end
    assert radius[:, -1].min() > matrix / 2 - 1
    turns = np.abs(np.diff(np.unwrap(np.angle(position[0, 1:])))).sum() / (2 * np.pi)
    assert turns == pytest.approx(matrix / 26, rel=0.15)


@pytest.mark.parametrize(
    "values", [{"arms": 60}, {"R": 0}, {"fov_mm": -1}, {"max_gradient_t_per_m": float("nan")}, {"matrix": 0}]
)
def test_impossible_spirals_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputError):
        spiral(**{"frames": 1, "arms_per_frame": 1, "matrix": 84, "fov_mm": 200.0, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "fraction"), [("arms6_1", 0.348), ("arms6_2", 0.183), ("arms6_6", 0.061)])
def test_spiral_masks_have_the_known_fractions_and_are_centred(name: str, fraction: float) -> None:
    mask = named_spiral_mask(name, 84)
    assert mask.mean() == pytest.approx(fraction, abs=0.03)
    assert mask[42, 42]
    ky, kx = np.indices(mask.shape) - 42
    near, far = np.hypot(kx, ky) < 6, np.hypot(kx, ky) > 38
    assert mask[near].mean() > 2 * mask[far].mean()
    # the other convention, k = 0 in the corner, keeps almost nothing of a smooth image
    image = np.exp(-(kx**2 + ky**2) / 300.0)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image)))) ** 2
    assert (spectrum * mask).sum() > 0.2 * spectrum.sum()
    assert (spectrum * np.fft.fftshift(mask)).sum() < 1e-3 * spectrum.sum()


@pytest.mark.parametrize(
    ("matrix", "R", "fractions"),
    # of sigpy's spirals with gradient limits: equal arc length samples the middle a little more densely
    [
        (84, 1.0, (0.647, 0.355, 0.120)),
        (84, 13 / 6, (0.313, 0.169, 0.055)),
        (84, 3.0, (0.229, 0.122, 0.040)),
        (128, 1.0, (0.676, 0.379, 0.130)),
        (128, 13 / 6, (0.326, 0.179, 0.060)),
    ],
)
def test_fractions_at_each_undersampling(matrix: int, R: float, fractions: tuple[float, float, float]) -> None:
    for name, fraction in zip(("arms6_1", "arms6_2", "arms6_6"), fractions, strict=True):
        assert named_spiral_mask(name, matrix, R=R).mean() == pytest.approx(fraction, rel=0.17)


def test_masking_the_unshifted_spectrum_loses_the_image_whatever_the_fraction() -> None:
    y, x = np.indices((84, 84)) - 42
    image = (np.hypot(x / 30, y / 36) < 1) * (0.6 + 0.4 * (np.hypot(x - 8, y + 5) < 10))
    centred = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image)))

    def psnr(spectrum: np.ndarray) -> float:
        found = np.abs(np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(spectrum))))
        return float(-10 * np.log10(((found - image) ** 2).mean()))

    right, wrong = [], []
    for name in ("arms6_1", "arms6_2", "arms6_6"):
        mask = named_spiral_mask(name, 84)
        right.append(psnr(centred * mask))
        wrong.append(psnr(np.fft.fftshift(np.fft.ifftshift(centred) * mask)))
    assert max(wrong) < min(right) - 2
    assert max(wrong) - min(wrong) < 0.5
    assert right[0] > right[1] > right[2]


def test_a_turned_spiral_is_the_other_one_turned() -> None:
    straight, quarter = spiral_mask(33), spiral_mask(33, rotation_deg=90.0)
    # +kx towards +ky: what was on +kx is on +ky
    assert np.array_equal(quarter, np.rot90(straight, -1))
    assert np.array_equal(spiral_mask(64, rotation_deg=60.0), spiral_mask(64))
    assert not np.array_equal(spiral_mask(64, rotation_deg=20.0), spiral_mask(64))


def test_spiral_mask_bounds() -> None:
    assert spiral_mask(33)[16, 16]
    assert spiral_mask(84, alpha=2.0).mean() != spiral_mask(84).mean()
    with pytest.raises(InputError, match="too many"):
        spiral_mask(24, R=3)
    with pytest.raises(InputError, match="arms6_2"):
        named_spiral_mask("arms7", 84)


def test_variable_density_lines() -> None:
    mask = variable_density_mask(200, (2, 192, 16), acceleration=8, central_lines=10, seed=3)
    assert mask.shape == (200, 2, 192, 16)
    lines = mask[:, 0, :, 0]
    assert (lines.sum(axis=1) == 24).all()
    assert lines[:, 91:101].all()
    assert (mask == lines[:, None, :, None]).all()
    assert len(np.unique(lines, axis=0)) == 200
    # denser near the centre, yet the edge is reached
    assert lines[:, 70:90].mean() > 3 * lines[:, :20].mean() > 0
    assert np.array_equal(mask, variable_density_mask(200, (2, 192, 16), 8, 10, 3))
    assert not np.array_equal(mask, variable_density_mask(200, (2, 192, 16), 8, 10, 4))
    assert variable_density_mask(1, (1, 20, 4), 1, 8).all()


def test_impossible_masks_are_refused() -> None:
    for values in ((0.5, 2), (10, 30), (float("nan"), 2)):
        with pytest.raises(InputError):
            variable_density_mask(1, (1, 64, 8), *values)
