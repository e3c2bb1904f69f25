import pytest
import torch
from operator_checks import check_operator, complex_normal, relative_error

from DynamicMRIReconLib.operators.base import Composition, LinearOperator, shape_fits
from DynamicMRIReconLib.operators.coils import CoilOperator
from DynamicMRIReconLib.operators.fourier import FourierOperator
from DynamicMRIReconLib.operators.frame_blocks import FrameBlocks
from DynamicMRIReconLib.operators.mask import MaskOperator


class Wrong(LinearOperator):
    """An operator whose adjoint lacks the conjugate: the checks must see it."""

    domain_shape = (3, 4)
    range_shape = (3, 4)

    def _forward(self, x):
        return x * (1 + 2j)

    def _adjoint(self, y):
        return y * (1 + 2j)


def test_the_checks_notice_a_wrong_adjoint():
    with pytest.raises(AssertionError):
        check_operator(Wrong(), (3, 4), (3, 4))


@pytest.mark.parametrize(
    ("actual", "wanted", "fits"),
    [
        ((2, 3), (2, 3), True),
        ((2, 3), (None, 3), True),
        ((2, 3), (3, 2), False),
        ((2, 3), (2, 3, 1), False),
        ((5, 2, 3), (..., 2, 3), True),
        ((2, 3), (..., 2, 3), True),
        ((3,), (..., 2, 3), False),
    ],
)
def test_shape_fits(actual, wanted, fits):
    assert shape_fits(actual, wanted) is fits


@pytest.mark.parametrize("direction", ["forward", "adjoint", "gram"])
def test_a_wrong_shape_is_refused_by_name(direction):
    operator = CoilOperator(complex_normal((2, 1, 4, 5)))
    with pytest.raises(ValueError, match=rf"CoilOperator\.{direction} takes .*\(any,.* 1, 4, 5\), not \(3, 7\)"):
        getattr(operator, direction)(torch.zeros(3, 7, dtype=torch.complex64))


def test_composition_applies_inner_first_and_checks_the_fit():
    maps, mask = complex_normal((2, 1, 4, 5)), torch.rand(3, 1, 4, 5, generator=torch.Generator().manual_seed(1)) > 0.5
    model = MaskOperator(mask) @ FourierOperator((4, 5)) @ CoilOperator(maps)
    check_operator(model, (3, 1, 4, 5), (3, 2, 1, 4, 5))
    x = complex_normal((3, 1, 4, 5))
    by_hand = MaskOperator(mask)(FourierOperator((4, 5))(CoilOperator(maps)(x)))
    assert torch.equal(model(x), by_hand)
    assert "MaskOperator @ FourierOperator" in model.name
    with pytest.raises(ValueError, match="FourierOperator @ CoilOperator does not fit"):
        FourierOperator((5, 4)) @ CoilOperator(maps)


def test_composition_uses_the_gram_it_is_given_and_makes_it_once():
    made = []

    def gram():
        made.append(1)
        return FourierOperator((4, 5))

    composition = Composition(FourierOperator((4, 5)), FourierOperator((4, 5)), gram=gram)
    x = complex_normal((4, 5))
    composition(x)
    assert made == []
    assert torch.equal(composition.gram(x), FourierOperator((4, 5))(x))
    composition.gram(x)
    assert made == [1]


def test_frame_blocks_equal_the_whole():
    mask = torch.rand(5, 1, 4, 6, generator=torch.Generator().manual_seed(1)) > 0.5
    blocks = FrameBlocks([MaskOperator(mask[:2]), MaskOperator(mask[2:3]), MaskOperator(mask[3:])])
    check_operator(blocks, (5, 2, 1, 4, 6), (5, 2, 1, 4, 6))
    x = complex_normal((5, 2, 1, 4, 6))
    assert torch.equal(blocks(x), MaskOperator(mask)(x))
    assert relative_error(blocks.gram(x), MaskOperator(mask).gram(x)) == 0
    with pytest.raises(ValueError, match="fixed number of frames"):
        FrameBlocks([CoilOperator(complex_normal((2, 1, 4, 5)))])
