"""Coarse images: constant stays constant, what is kept of k-space, where voxels lie, published rounding."""

import numpy as np
import pytest
from scipy import ndimage

from DynamicMRIReconLib.acquisition.degradation import cropped_to_multiple, degraded
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.methods.common.finer_grid import finer_affine


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_constant_stays_and_nothing_above_the_coarse_band(scale):
    np.testing.assert_allclose(degraded(np.full((2, 24, 36), 7.0), scale), 7.0, rtol=1e-5)
    x = np.arange(48)
    low, high = (1 + 0.3 * np.cos(2 * np.pi * k * x / 48) for k in (48 // scale // 4, 48 // scale // 2 + 2))
    kept = degraded(np.tile(low, (12, 1)), scale)
    gone = degraded(np.tile(high, (12, 1)), scale)
    assert kept.std() > 0.15
    assert gone.std() < 1e-5


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_blob_lies_where_the_finer_grid_says(scale):
    """The middle of mass of coarse and fine image is one place: the half-voxel rule."""
    y, x = np.indices((48, 60))
    fine = np.exp(-((x - 25.3) ** 2 + (y - 18.8) ** 2) / 50)
    coarse = Geometry.centred((1, 48 // scale, 60 // scale), (2.0 * scale, 2.0 * scale, 5.0))
    finer = Geometry(finer_affine(coarse, scale))
    places = []
    for image, geometry in ((fine, finer), (degraded(fine, scale), coarse)):
        row, column = ndimage.center_of_mass(np.where(image > 1e-3, image, 0))
        places.append(geometry.to_ras((column, row, 0)))
    np.testing.assert_allclose(finer.spacing_mm, [2, 2, 5])
    np.testing.assert_allclose(places[0], places[1], atol=0.1 * 2.0)


def test_independent_formula():
    """Cubic convolution with a = -0.75 half-way between voxels of the low-passed image, written out."""
    rng = np.random.default_rng(0)
    image = rng.random((16, 16))
    kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image)))
    kept = np.zeros_like(kspace)
    kept[4:12, 4:12] = kspace[4:12, 4:12]
    smooth = np.abs(np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kept))))
    weights = np.array([-0.09375, 0.59375, 0.59375, -0.09375])
    found = degraded(image, 2)
    for row, column in ((2, 3), (5, 1)):
        window = smooth[2 * row - 1 : 2 * row + 3, 2 * column - 1 : 2 * column + 3]
        assert found[row, column] == pytest.approx(weights @ window @ weights, abs=1e-5)


def test_rounded_and_cropped():
    image = 255 * np.random.default_rng(1).random((3, 27, 38))
    with pytest.raises(InputError, match="multiple of 2"):
        degraded(image, 2)
    cropped = cropped_to_multiple(image, 12)
    assert cropped.shape == (3, 24, 36)
    np.testing.assert_array_equal(cropped, image[:, 1:25, 1:37])
    rounded = degraded(cropped, 3, rounded=True)
    np.testing.assert_array_equal(rounded, np.rint(rounded))
    assert np.abs(rounded - degraded(cropped, 3)).max() < 1.7
    assert rounded.min() >= 0
    assert rounded.max() <= 255
    with pytest.raises(InputError, match="too small"):
        cropped_to_multiple(image[:, :5], 12)
