"""The gram of Cartesian sampling beside mask and Fourier transform one after the other."""

import pytest
import torch
from operator_checks import complex_normal, relative_error

from DynamicMRIReconLib.operators.coils import CoilOperator
from DynamicMRIReconLib.operators.fourier import FourierOperator
from DynamicMRIReconLib.operators.grid_gram import CoilGridGram, GridGram
from DynamicMRIReconLib.operators.mask import MaskOperator


def some_mask(kind, shape):
    generator = torch.Generator().manual_seed(3)
    frames, z, y, x = shape
    sizes = {"lines": (frames, z, y, 1), "columns": (frames, z, 1, x), "points": shape, "frames": (frames, z, 1, 1)}
    return (torch.rand(sizes[kind], generator=generator) < 0.6).expand(shape)


@pytest.mark.parametrize(("kind", "axes"), [("lines", 1), ("columns", 1), ("points", 2), ("frames", 0)])
@pytest.mark.parametrize("shape", [(3, 2, 8, 10), (2, 1, 9, 7)])
def test_same_as_mask_and_fourier_transform(kind, axes, shape):
    mask = some_mask(kind, shape)
    frames, *image = shape
    x = torch.randn((frames, 4, *image), dtype=torch.complex64, generator=torch.Generator().manual_seed(1))
    fourier = FourierOperator(shape[2:])
    expected = fourier.adjoint(MaskOperator(mask).forward(fourier.forward(x)))
    gram = GridGram(mask)
    assert len(gram.axes) == axes
    torch.testing.assert_close(gram.forward(x), expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(gram.adjoint(x), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["lines", "columns", "points", "frames"])
@pytest.mark.parametrize("shape", [(3, 2, 8, 10), (2, 1, 9, 7)])
def test_same_with_coils(kind, shape):
    mask, coils = some_mask(kind, shape), CoilOperator(complex_normal((4, *shape[1:]), 2))
    fourier, x = FourierOperator(shape[2:]), complex_normal(shape, 1)
    expected = coils.adjoint(fourier.adjoint(MaskOperator(mask).forward(fourier.forward(coils.forward(x)))))
    gram = CoilGridGram(mask, coils.maps)
    assert gram.forward(x).is_contiguous()
    assert relative_error(gram.forward(x), expected) < 1e-6
    assert relative_error(gram.adjoint(x), expected) < 1e-6
