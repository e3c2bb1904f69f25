import math

import numpy as np
import pytest
import torch
from operator_checks import check_operator, complex_normal, exact_dft, relative_error

from DynamicMRIReconLib.operators.fourier import FourierOperator, fft2c, ifft2c


@pytest.mark.parametrize("shape", [(6, 8), (5, 8), (7, 9), (3, 4, 5), (1, 6)])
def test_operator(shape):
    check_operator(FourierOperator(shape), (2, 3, *shape), (2, 3, *shape))


@pytest.mark.parametrize("shape", [(6, 8), (5, 8), (7, 9), (4, 5, 6)])
def test_is_the_exact_sum_at_grid_points(shape):
    axes = [torch.arange(n) - n // 2 for n in shape]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], dim=-1).float()  # kx first
    trajectory = grid.reshape(1, 1, -1, len(shape))
    images = complex_normal((1, 2, *shape))
    expected = exact_dft(trajectory, images).reshape(1, 2, *shape)
    assert relative_error(FourierOperator(shape)(images), expected) < 1e-6


@pytest.mark.parametrize("shape", [(6, 8), (5, 7)])
def test_unitary_and_inverse(shape):
    x = complex_normal((3, *shape))
    assert float(fft2c(x).norm()) == pytest.approx(float(x.norm()), rel=1e-5)
    assert relative_error(ifft2c(fft2c(x)), x) < 1e-6


@pytest.mark.parametrize(("ny", "nx"), [(6, 8), (5, 7)])
def test_centre_of_the_image_has_flat_spectrum_and_a_shift_turns_the_phase_the_stated_way(ny, nx):
    point = torch.zeros(ny, nx, dtype=torch.complex64)
    point[ny // 2, nx // 2] = 1
    assert relative_error(fft2c(point), torch.full((ny, nx), 1 / math.sqrt(ny * nx), dtype=torch.complex64)) < 1e-6
    right = torch.roll(point, 1, dims=1)  # one voxel towards +x
    kx = np.arange(nx) - nx // 2
    expected = torch.from_numpy(np.exp(-2j * np.pi * kx / nx) / math.sqrt(ny * nx)).expand(ny, nx)
    assert relative_error(fft2c(right), expected) < 1e-6
