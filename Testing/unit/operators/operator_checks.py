"""What every linear operator must pass: shapes, adjointness, gram and gradient. Imported by the tests beside it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator


def complex_normal(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Seeded complex64 white noise."""
    return torch.randn(shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(seed))


def relative_error(actual: Tensor, expected: Tensor) -> float:
    """``|actual - expected| / |expected|``; shapes must agree."""
    assert actual.shape == expected.shape, f"{tuple(actual.shape)} is not {tuple(expected.shape)}"
    wide = expected.to(torch.complex128)
    return float((actual.to(torch.complex128) - wide).norm() / wide.norm())


def check_operator(
    operator: LinearOperator, domain: tuple[int, ...], range_: tuple[int, ...], *, tolerance: float = 1e-5
) -> None:
    """Assert shapes, adjointness, gram and gradient of ``operator`` from ``domain`` to ``range_`` tensors."""
    u, v = complex_normal(domain, 1), complex_normal(range_, 2)
    forward, adjoint = operator(u), operator.adjoint(v)
    assert forward.shape == range_
    assert adjoint.shape == domain
    # adjointness <Au, v> = <u, A^H v>, relative to the largest the products could be
    scale = float(forward.norm() * v.norm())
    assert scale > 0
    difference = abs(complex(torch.vdot(v.flatten(), forward.flatten()) - torch.vdot(adjoint.flatten(), u.flatten())))
    assert difference <= tolerance * scale
    # .H is the adjoint in both directions
    assert torch.equal(operator.H(v), adjoint)
    assert torch.equal(operator.H.adjoint(u), forward)
    gram = operator.gram(u)
    assert relative_error(gram, operator.adjoint(forward)) <= max(1e-5, tolerance)
    # linear: twice and the phase go through
    assert relative_error(operator((2 - 1j) * u), (2 - 1j) * forward) <= 1e-5
    check_gradient(operator, u, v, tolerance)


def check_gradient(operator: LinearOperator, u: Tensor, v: Tensor, tolerance: float) -> None:
    """Assert that autograd through forward, adjoint and gram gives the directional derivatives of a real loss."""
    directions = complex_normal(tuple(u.shape), 3), complex_normal(tuple(v.shape), 4), complex_normal(tuple(u.shape), 5)
    for apply, at, direction in zip(
        (operator.forward, operator.adjoint, operator.gram), (u, v, u), directions, strict=True
    ):
        at = at.clone().requires_grad_(True)
        image = apply(at)
        weights = complex_normal(tuple(image.shape), 6)
        # a loss that is quadratic in the output, so that a wrong conjugate or a missing factor shows
        loss = (image.abs().square() * weights.abs()).sum()
        (gradient,) = torch.autograd.grad(loss, at)
        moved = apply(direction)
        expected = float((2 * weights.abs() * (image.detach().conj() * moved).real).sum())
        actual = float((gradient.conj() * direction).real.sum())
        size = float((2 * weights.abs() * image.detach().abs() * moved.abs()).sum())
        assert math.isfinite(actual)
        assert abs(actual - expected) <= max(1e-4, 10 * tolerance) * size


def exact_dft(trajectory: Tensor, images: Tensor) -> Tensor:
    """The convention's sum, term by term in double precision: (frames, coils, [z,] y, x) -> (.., shots, readout)."""
    frames, shots, readout, dimensions = trajectory.shape
    sizes = images.shape[2:]
    positions = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) - n // 2 for n in sizes), indexing="ij")
    phase = torch.zeros(frames, shots * readout, math.prod(sizes), dtype=torch.float64)
    for axis in range(dimensions):  # trajectory axis 0 is x, the last image axis
        k = trajectory[..., axis].double().reshape(frames, -1, 1)
        phase += k * positions[-1 - axis].reshape(1, 1, -1) / sizes[-1 - axis]
    kernel = torch.exp(-2j * math.pi * phase) / math.sqrt(math.prod(sizes))
    samples = torch.einsum("fkr,fcr->fck", kernel, images.to(torch.complex128).flatten(2))
    return samples.reshape(*images.shape[:2], shots, readout)
