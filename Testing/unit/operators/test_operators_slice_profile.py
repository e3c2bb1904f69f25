"""The slice profile: adjoint, gram, gradients, and what a voxel of a thick slice averages."""

import numpy as np
import pytest
import torch
from operator_checks import check_operator, relative_error

from DynamicMRIReconLib.operators import slice_profile
from DynamicMRIReconLib.operators.slice_profile import SliceGeometry, SliceProfileOperator, profile_weights

VOLUME = (9, 10, 11)


def turned(degrees: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """A rigid motion about the z and then the x axis."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(4)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    matrix[:3, :3] = about_x @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:3, 3] = shift
    return matrix


def stack_affine(spacing: tuple[float, float, float], origin: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return affine


@pytest.mark.parametrize("profile", ["gaussian", "boxcar"])
@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("at_once", [3_000_000, 400])
def test_adjoint_gram_and_gradient(profile, moving, at_once, monkeypatch):
    monkeypatch.setattr(slice_profile, "POINTS_AT_ONCE", at_once)
    motions = np.stack([turned(3.0 * n, (0.1 * n, 0, 0)) for n in range(4)]) if moving else None
    slices = SliceGeometry((4, 6, 5), turned(20) @ stack_affine((1.3, 1.6, 3.0), (1, 1, 0)), 2.5, motions, profile, 1.2)
    operator = SliceProfileOperator(VOLUME, stack_affine((1.0, 1.1, 0.9)), slices)
    check_operator(operator, VOLUME, (4, 6, 5))
    real = torch.rand(VOLUME, generator=torch.Generator().manual_seed(0))
    assert operator(real).dtype == torch.float32
    assert relative_error(operator(real), operator(real.to(torch.complex64)).real) < 1e-6


def test_blocks_and_motions_that_are_all_the_same_change_nothing(monkeypatch):
    x = torch.rand(VOLUME, generator=torch.Generator().manual_seed(0))
    motion, affine = turned(15, (0.4, 0.2, 0.1)), stack_affine((1.3, 1.6, 2.0), (1, 1, 1))
    still = SliceGeometry((4, 6, 5), motion @ affine, 2.0)
    moving = SliceGeometry((4, 6, 5), affine, 2.0, np.stack([motion] * 4))
    expected = SliceProfileOperator(VOLUME, np.eye(4), still)(x)
    assert relative_error(SliceProfileOperator(VOLUME, np.eye(4), moving)(x), expected) < 1e-5
    monkeypatch.setattr(slice_profile, "POINTS_AT_ONCE", 100)
    assert relative_error(SliceProfileOperator(VOLUME, np.eye(4), still)(x), expected) < 1e-6


def test_boxcar_averages_the_voxels_in_a_slice():
    x = torch.rand((12, 5, 6), generator=torch.Generator().manual_seed(0))
    slices = SliceGeometry((3, 5, 6), stack_affine((1, 1, 4), (0, 0, 1.5)), 4.0, None, "boxcar", 0.0)
    averaged = SliceProfileOperator((12, 5, 6), np.eye(4), slices)(x)
    assert relative_error(averaged, x.reshape(3, 4, 5, 6).mean(1)) < 1e-5


@pytest.mark.parametrize("angle", [0, 30])
def test_a_blob_becomes_as_wide_as_the_convolution_of_both_gaussians(angle):
    """A Gaussian seen through a Gaussian profile, at points between voxels, on a rotated stack."""
    n, sigma, thickness = 41, 3.0, 5.0
    axis = np.arange(n) - n // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    volume = torch.as_tensor(np.exp(-(z**2 + y**2 + x**2) / (2 * sigma**2)), dtype=torch.float32)
    affine = stack_affine((1, 1, 1), (-(n // 2),) * 3)
    slices = SliceGeometry((5, 15, 15), turned(angle) @ stack_affine((2, 2, 5), (-14.3, -14, -10.6)), thickness)
    found = SliceProfileOperator((n, n, n), affine, slices)(volume).numpy()
    fwhm = 2.3548
    variance = np.array([sigma**2 + (1.2 * 2 / fwhm) ** 2] * 2 + [sigma**2 + (thickness / fwhm) ** 2])
    k, j, i = np.meshgrid(*(np.arange(m) for m in slices.shape), indexing="ij")
    at = np.stack([2 * i - 14.3, 2 * j - 14, 5 * k - 10.6], -1)
    expected = np.exp(-(at**2 / (2 * variance)).sum(-1)) * sigma**3 / np.sqrt(variance.prod())
    # trilinear interpolation and the cut at 3 standard deviations leave a little
    assert np.abs(found - expected).max() < 0.03 * expected.max()


@pytest.mark.parametrize("parts", [3, 4])
def test_profile_weights(parts):
    for profile in ("gaussian", "boxcar"):
        offsets, weights = profile_weights(profile, 6.0, 6.0 / parts)
        assert weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(offsets, -offsets[::-1], atol=1e-12)
        np.testing.assert_allclose(np.diff(offsets), 6.0 / parts)
        assert len(offsets) % 2 == parts % 2
    offsets, weights = profile_weights("gaussian", 6.0, 0.05)
    half = np.interp(3.0, offsets, weights)
    assert half / weights.max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(offsets).max() == pytest.approx(3 * 6.0 / 2.3548, abs=0.06)


def test_outside_the_volume_is_zero():
    slices = SliceGeometry((3, 4, 4), stack_affine((1, 1, 2), (100, 0, 0)), 2.0)
    assert not SliceProfileOperator(VOLUME, np.eye(4), slices)(torch.ones(VOLUME)).any()
