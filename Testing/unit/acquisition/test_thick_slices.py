"""Simulated thick slices: means in the right place."""

import numpy as np
import pytest

from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

AFFINE = np.array([[0, 0, 3, 5], [-1, 0, 0, 6], [0, -2, 0, 7], [0, 0, 0, 1]], float)


def ramp() -> ImageSeries:
    """Whose value is a linear function of the RAS position, so that a mean tells where its middle is."""
    z, y, x = np.meshgrid(np.arange(7), np.arange(8), np.arange(9), indexing="ij")
    points = np.stack([x, y, z], -1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    return ImageSeries((points @ [1, 10, 100])[None], AFFINE, np.array([2.5]))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_slices_lie_in_the_middle_of_what_they_average(axis, factor):
    stack = thick_slices(ramp(), axis, factor)
    assert stack.array.shape[1] == ramp().array.shape[1 + axis] // factor
    assert stack.geometry.spacing_mm[2] == pytest.approx(factor * [3, 2, 1][axis])
    assert stack.metadata["slice_thickness_mm"] == pytest.approx(stack.geometry.spacing_mm[2])
    k, j, i = np.meshgrid(*(np.arange(n) for n in stack.array.shape[1:]), indexing="ij")
    points = stack.geometry.to_ras(np.stack([i, j, k], -1))
    np.testing.assert_allclose(stack.array[0], points @ [1, 10, 100], rtol=1e-5)
    assert stack.times_s.tolist() == [2.5]


def test_refusals():
    with pytest.raises(InputError, match="8 planes a slice do not fit 7"):
        thick_slices(ramp(), 0, 8)
    with pytest.raises(InputError, match="axis of the slices"):
        thick_slices(ramp(), 3, 2)
    two = ImageSeries(np.ones((2, 3, 3, 3)), np.eye(4), np.arange(2.0))
    with pytest.raises(InputError, match="has 2 frames"):
        thick_slices(two, 0, 2)
