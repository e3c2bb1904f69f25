"""What every linear operator has: checked shapes, forward, adjoint, gram, ``.H`` and ``@``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import EllipsisType

from torch import Tensor

#: sizes of an operator's input or output; None is any size, a leading ``...`` any number of further axes
Shape = tuple[int | EllipsisType | None, ...]


def shape_fits(actual: tuple[int, ...], wanted: Shape) -> bool:
    """Whether a tensor's shape is one of those that ``wanted`` describes."""
    sizes = wanted
    if wanted and wanted[0] is ...:
        sizes = wanted[1:]
        if len(actual) < len(sizes):
            return False
        actual = actual[len(actual) - len(sizes) :]
    return len(actual) == len(sizes) and all(
        want is None or have == want for have, want in zip(actual, sizes, strict=True)
    )


def shape_in_words(shape: Shape | tuple[int, ...]) -> str:
    """``(18, any, 208, 208)`` for a message."""
    words = ["..." if size is ... else "any" if size is None else str(size) for size in shape]
    return f"({', '.join(words)})"


class LinearOperator(ABC):
    """A linear map between complex tensors, differentiable by autograd in both directions.

    Subclasses set ``domain_shape`` and ``range_shape`` and implement ``_forward`` and ``_adjoint``; ``_gram`` where
    there is something faster than one after the other.

    Raises
    ------
    ValueError
        From ``forward``, ``adjoint`` and ``gram`` when the tensor's shape is not the operator's; names the operator.
    """

    domain_shape: Shape
    range_shape: Shape

    @abstractmethod
    def _forward(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def _adjoint(self, y: Tensor) -> Tensor: ...

    def _gram(self, x: Tensor) -> Tensor:
        return self._adjoint(self._forward(x))

    @property
    def name(self) -> str:
        """What error messages call this operator."""
        return type(self).__name__

    def forward(self, x: Tensor) -> Tensor:
        """``A x``: from a tensor of ``domain_shape`` to one of ``range_shape``."""
        self._check(x, self.domain_shape, "forward")
        return self._forward(x)

    def adjoint(self, y: Tensor) -> Tensor:
        """``A^H y``: from a tensor of ``range_shape`` to one of ``domain_shape``."""
        self._check(y, self.range_shape, "adjoint")
        return self._adjoint(y)

    def gram(self, x: Tensor) -> Tensor:
        """``A^H A x``, by whatever is fastest for this operator."""
        self._check(x, self.domain_shape, "gram")
        return self._gram(x)

    def __call__(self, x: Tensor) -> Tensor:
        return self.forward(x)

    @property
    def H(self) -> LinearOperator:
        """The adjoint as an operator of its own."""
        return Adjoint(self)

    def __matmul__(self, inner: LinearOperator) -> LinearOperator:
        return Composition(self, inner)

    def _check(self, x: Tensor, wanted: Shape, direction: str) -> None:
        if not shape_fits(tuple(x.shape), wanted):
            raise ValueError(
                f"{self.name}.{direction} takes a tensor of shape {shape_in_words(wanted)}, "
                f"not {shape_in_words(tuple(x.shape))}."
            )


class Adjoint(LinearOperator):
    """``A^H`` as an operator."""

    def __init__(self, operator: LinearOperator) -> None:
        self.operator = operator
        self.domain_shape, self.range_shape = operator.range_shape, operator.domain_shape

    @property
    def name(self) -> str:
        """The operator's own name with ``.H``."""
        return f"{self.operator.name}.H"

    @property
    def H(self) -> LinearOperator:
        """The operator itself."""
        return self.operator

    def _forward(self, x: Tensor) -> Tensor:
        return self.operator.adjoint(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.operator.forward(y)


class Composition(LinearOperator):
    """``outer @ inner``: the inner operator first. Its gram is ``inner^H (outer^H outer) inner``.

    ``gram``, when given, is called once, at the first use, for a self-adjoint operator that gives the same numbers
    faster.
    """

    def __init__(
        self, outer: LinearOperator, inner: LinearOperator, *, gram: Callable[[], LinearOperator] | None = None
    ) -> None:
        if not _meet(inner.range_shape, outer.domain_shape):
            raise ValueError(
                f"{outer.name} @ {inner.name} does not fit: {inner.name} gives {shape_in_words(inner.range_shape)}, "
                f"{outer.name} takes {shape_in_words(outer.domain_shape)}."
            )
        self.outer, self.inner = outer, inner
        self._make_gram = gram
        self._fast_gram: LinearOperator | None = None
        self.domain_shape, self.range_shape = inner.domain_shape, outer.range_shape

    @property
    def name(self) -> str:
        """Both names, in the order of the product."""
        return f"({self.outer.name} @ {self.inner.name})"

    def _forward(self, x: Tensor) -> Tensor:
        return self.outer.forward(self.inner.forward(x))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.inner.adjoint(self.outer.adjoint(y))

    def _gram(self, x: Tensor) -> Tensor:
        if self._make_gram is None:
            return self.inner.adjoint(self.outer.gram(self.inner.forward(x)))
        if self._fast_gram is None:
            self._fast_gram = self._make_gram()
        return self._fast_gram.forward(x)


def _meet(first: Shape, second: Shape) -> bool:
    """Whether some tensor can have both shapes."""
    open_ended = (first[:1] == (...,)) or (second[:1] == (...,))
    a, b = (tuple(size for size in shape if size is not ...) for shape in (first, second))
    if not open_ended and len(a) != len(b):
        return False
    pairs = zip(reversed(a), reversed(b), strict=False)
    return all(one is None or other is None or one == other for one, other in pairs)
