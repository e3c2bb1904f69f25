import pytest
import torch
from operator_checks import check_operator, complex_normal, relative_error

from DynamicMRIReconLib.operators.coils import CoilOperator
from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
from DynamicMRIReconLib.operators.mask import MaskOperator
from DynamicMRIReconLib.operators.weights import WeightsOperator


@pytest.mark.parametrize("coils", [1, 3])
def test_coils(coils):
    maps = complex_normal((coils, 2, 4, 5))
    check_operator(CoilOperator(maps), (3, 2, 4, 5), (3, coils, 2, 4, 5))
    x = complex_normal((3, 2, 4, 5))
    assert torch.equal(CoilOperator(maps)(x)[1, 0], x[1] * maps[0])


def test_mask_keeps_measured_points_only():
    mask = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0)) > 0.5
    check_operator(MaskOperator(mask), (3, 2, 2, 4, 5), (3, 2, 2, 4, 5))
    masked = MaskOperator(mask)(torch.ones(3, 2, 2, 4, 5, dtype=torch.complex64))
    assert torch.equal(masked[:, 1].real.bool(), mask)


def test_weights():
    weights = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0))
    check_operator(WeightsOperator(weights), (3, 2, 4, 6), (3, 2, 4, 6))
    assert torch.equal(WeightsOperator(weights)(torch.ones(3, 2, 4, 6, dtype=torch.complex64))[:, 1].real, weights)
    with pytest.raises(ValueError, match="real weights"):
        WeightsOperator(weights.to(torch.complex64))


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("axes", [(0,), (2, 3), (0, 1, 2, 3)])
def test_finite_difference(periodic, axes):
    shape = (4, 1, 5, 6)
    operator = FiniteDifferenceOperator(shape, axes, periodic=periodic)
    check_operator(operator, shape, (len(axes), *shape))
    x = complex_normal(shape)
    inner = x[1:] - x[:-1] if axes[0] == 0 else x[:, :, 1:] - x[:, :, :-1]
    first = operator(x)[0]
    found = first[:-1] if axes[0] == 0 else first[:, :, :-1]
    assert relative_error(found, inner) == 0
    last = first[-1] if axes[0] == 0 else first[:, :, -1]
    wrapped = x[0] - x[-1] if axes[0] == 0 else x[:, :, 0] - x[:, :, -1]
    assert torch.equal(last, wrapped if periodic else torch.zeros_like(last))


def test_finite_difference_of_a_constant_is_zero():
    assert not FiniteDifferenceOperator((3, 2, 4, 5), (0, 1, 2, 3))(torch.ones(3, 2, 4, 5)).any()
    with pytest.raises(ValueError, match="axes between 0 and 3"):
        FiniteDifferenceOperator((3, 2, 4, 5), (4,))
