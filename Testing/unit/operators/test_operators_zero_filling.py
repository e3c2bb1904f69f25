"""Zero-filling onto a finer grid: against exact sums, in the place of the finer grid, invertible."""

import math

import numpy as np
import pytest
import torch
from operator_checks import check_operator, complex_normal, exact_dft, relative_error

from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.methods.common.finer_grid import finer_affine
from DynamicMRIReconLib.operators.zero_filling import ZeroFilling

SHAPES = [(6, 8), (5, 8), (7, 9), (1, 6)]


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_operator(shape, scale):
    check_operator(ZeroFilling(shape, scale), (2, 3, *shape), (2, 3, *(scale * side for side in shape)))


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_is_the_exact_sum_at_the_middles_of_the_finer_voxels(shape, scale):
    """The coarse image's own frequencies, added up where the finer grid's affine says that its voxels are."""
    coarse = complex_normal((1, 1, *shape))
    k = torch.stack(torch.meshgrid(*(torch.arange(n) - n // 2 for n in shape), indexing="ij")[::-1], dim=-1)
    spectrum = exact_dft(k.reshape(1, 1, -1, 2).float(), coarse).reshape(shape).numpy()
    affine = finer_affine(Geometry(np.eye(4)), scale)
    wanted = np.ones((1, 1), complex) * spectrum
    for axis, (side, place) in enumerate(zip(shape, (affine[1], affine[0]), strict=True)):
        middles = place[1 - axis] * np.arange(scale * side) + place[3] - side // 2
        waves = np.exp(2j * math.pi * np.outer(middles, np.arange(side) - side // 2) / side) / math.sqrt(side)
        wanted = np.moveaxis(np.tensordot(waves, wanted, (1, axis)), 0, axis)
    assert relative_error(ZeroFilling(shape, scale)(coarse)[0, 0], torch.from_numpy(wanted)) < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
def test_the_adjoint_takes_the_coarse_image_back(shape):
    operator = ZeroFilling(shape, 3)
    coarse = complex_normal(shape)
    assert relative_error(operator.adjoint(operator(coarse)) / 9, coarse) < 1e-6


def test_constant_images_stay_and_real_ones_stay_real_for_odd_sides():
    operator = ZeroFilling((5, 7), 4)
    constant = torch.full((5, 7), 2.5, dtype=torch.complex64)
    torch.testing.assert_close(operator(constant), torch.full((20, 28), 2.5, dtype=torch.complex64))
    real = torch.complex(complex_normal((5, 7)).real, torch.zeros(5, 7))
    assert float(operator(real).imag.abs().max()) < 1e-6


def test_no_scale_below_one():
    with pytest.raises(ValueError, match="1 or more"):
        ZeroFilling((4, 4), 0)
