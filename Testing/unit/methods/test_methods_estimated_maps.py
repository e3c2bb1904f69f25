"""The baseline methods on k-space that comes without coil maps and density weights, as scanners give it."""

from dataclasses import replace

import numpy as np
import pytest
from kspace_cases import cartesian_case, difference, radial_case

import DynamicMRIReconLib as dmr


@pytest.mark.filterwarnings("ignore::DeprecationWarning:numba")
@pytest.mark.parametrize(
    ("case", "values", "bounds"),
    [
        # gridding's own error at this undersampling, and what estimated instead of true maps may add to cg-sense
        (cartesian_case, {"shape": (1, 64, 72)}, {"gridding": 0.25, "cg-sense": 0.08}),
        (radial_case, {"shape": (1, 64, 72), "spokes": 21}, {"gridding": 0.1, "cg-sense": 0.03}),
    ],
)
def test_magnitude_with_estimated_maps(case, values, bounds):
    kspace, truth = case(**values)
    bare = replace(kspace, coil_maps=None, density=None)
    for method, bound in bounds.items():
        series = dmr.reconstruct(bare, method, device="cpu")
        assert difference(np.abs(series.array), np.abs(truth)) < bound


def test_density_weights_are_computed_for_a_trajectory_of_each_slice():
    kspace, _ = radial_case(shape=(2, 20, 24), spokes=24)
    several = replace(kspace, density=None, trajectory=np.stack([kspace.trajectory] * 2, axis=1))
    one = replace(kspace, density=None)
    results = [dmr.reconstruct(data, "gridding", device="cpu").array for data in (several, one)]
    assert difference(*results) < 1e-6
