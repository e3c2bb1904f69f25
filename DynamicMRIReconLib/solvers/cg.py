"""The method of conjugate gradients for complex linear systems."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from DynamicMRIReconLib.solvers.keeping import NOTHING, Keep, State
from DynamicMRIReconLib.solvers.status import Callback, Status

#: of the state that is kept
_TENSORS = ("x", "residual", "direction", "energy", "largest")


def conjugate_gradient(
    gram: Callable[[Tensor], Tensor],
    rhs: Tensor,
    *,
    x0: Tensor | None = None,
    iterations: int = 12,
    tolerance: float = 0.0,
    independent_axes: int = 1,
    callback: Callback | None = None,
    keep: Keep = NOTHING,
) -> Tensor:
    """Solve ``G x = b`` with G Hermitian and positive semidefinite, by minimising ``x^H G x / 2 - Re(b^H x)``.

    The leading ``independent_axes`` axes number systems of their own, each with its own step sizes: for image series
    (frames, z, y, x) with 1, no frame's solution depends on which others are solved with it. A system that has
    reached the tolerance rests while the others go on. Iterations beyond what the precision of the numbers can tell
    neither help nor harm.

    M. R. Hestenes and E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409-436, doi:10.6028/jres.049.044.

    Parameters
    ----------
    gram
        ``x -> G x``.
    rhs
        b, real or complex.
    x0
        start; zero when None.
    iterations
        the most to do.
    tolerance
        a system is solved when ``|b - G x| <= tolerance * |b|``.
    independent_axes
        how many leading axes number independent systems; 0 for one system.
    callback
        called after each iteration; ``residual`` is the largest ``|b - G x| / |b|`` of all systems.
    keep
        where the state is kept, to go on from in another run.

    Returns
    -------
    Tensor
        the last iterate, of the shape of ``rhs``.

    Raises
    ------
    ValueError
        If ``iterations`` or ``tolerance`` is negative, or a number that is not finite turns up on the way.
    """
    if iterations < 0 or tolerance < 0:
        raise ValueError(f"iterations ({iterations}) and tolerance ({tolerance}) must not be negative.")
    axes = tuple(range(independent_axes, rhs.ndim))

    def inner(a: Tensor, b: Tensor) -> Tensor:
        product = (a.conj() * b).real
        return product.sum(axes, keepdim=True) if axes else product

    wanted, kept, done = inner(rhs, rhs), keep.found(), 0
    precision = torch.finfo(wanted.dtype).eps
    if kept is None:
        x = torch.zeros_like(rhs) if x0 is None else x0.clone()
        residual = rhs.clone() if x0 is None else rhs - gram(x)
        direction = residual.clone()
        energy, largest = inner(residual, residual), torch.zeros_like(wanted)
        active = energy > tolerance**2 * wanted
        refined = resting = torch.zeros_like(active)
    else:
        x, residual, direction, energy, largest = (kept[name] for name in _TENSORS)
        active, refined, resting = kept["flags"]
        done = int(kept["iteration"])

    def state() -> State:
        tensors = dict(zip(_TENSORS, (x, residual, direction, energy, largest), strict=True))
        return {**tensors, "flags": torch.stack([active, refined, resting])}

    for iteration in range(done + 1, iterations + 1):
        if not active.any():
            break
        image = gram(direction)
        curvature, square = inner(direction, image), inner(direction, direction)
        if not torch.isfinite(curvature).all():
            raise ValueError(f"Conjugate gradients met numbers that are not finite in iteration {iteration}.")
        active = active & (curvature > 0)
        largest = torch.maximum(largest, curvature / square.clamp_min(torch.finfo(square.dtype).tiny))
        # G does not tell such a direction from none: a step along it would be rounding errors, enlarged.
        flat = active & (curvature <= 100 * precision * largest * square)
        step = torch.where(active & ~flat & ~resting, energy / torch.where(active, curvature, 1), 0)
        x = x + step * direction
        residual = residual - step * image
        previous, energy = energy, inner(residual, residual)
        active = active & (energy > tolerance**2 * wanted)
        share = torch.where(active, energy / torch.where(active, previous, 1), 0)
        if (worn := flat | (active & (energy <= precision**2 * wanted))).any():
            # The residual that is carried along is no longer the true one: begin anew from where x is, once.
            resting, refined = resting | (worn & refined), refined | worn
            residual = torch.where(worn, rhs - gram(x), residual)
            energy, share = inner(residual, residual), torch.where(worn, 0, share)
        direction = residual + share * direction
        if callback is not None and callback(_status(iteration, x, rhs, residual, energy, wanted)) is False:
            break
        keep.keep(iteration, state)
    return x


def _status(iteration: int, x: Tensor, rhs: Tensor, residual: Tensor, energy: Tensor, wanted: Tensor) -> Status:
    relative = (energy / wanted.clamp_min(torch.finfo(wanted.dtype).tiny)).sqrt().max()
    objective = -0.5 * (x.conj() * (rhs + residual)).real.sum()
    return Status(iteration, float(relative), float(objective), x)
