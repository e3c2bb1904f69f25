"""The published fit of a ``SpatioTemporalField``: Adam on relative squared misfit, temporal variation and low rank.

J. Feng et al., IEEE Trans. Med. Imaging 44 (2025) 2143-2156, doi:10.1109/TMI.2025.3526452; where the paper is silent,
as its authors' program has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from DynamicMRIReconLib.methods.common.adam_state import restore, state_of
from DynamicMRIReconLib.methods.common.fewer_frames import fewer_frames
from DynamicMRIReconLib.networks.st_inr import SpatioTemporalField
from DynamicMRIReconLib.solvers.keeping import State, number

if TYPE_CHECKING:
    from DynamicMRIReconLib.methods.common.held_out import HeldOut
    from DynamicMRIReconLib.methods.common.problem import Problem

RATE = 1e-3
WEIGHT_DECAY = 1e-6
#: samples held out are looked at after so many epochs
CHECK_EVERY = 10


@dataclass(frozen=True)
class PublishedWeights:
    """What is added to the relative misfit.

    Attributes
    ----------
    temporal, low_rank
        weights of the mean absolute difference between frames and of the nuclear norm by the number of frames.
    epsilon
        keeps small samples from counting without bound.
    """

    temporal: float
    low_rank: float
    epsilon: float


def fit_published(
    problem: Problem, field: SpatioTemporalField, weights: PublishedWeights, epochs: int, held_out: HeldOut | None
) -> SpatioTemporalField:
    """``field``, fitted in ``epochs`` steps over all samples; or fewer when those held out are explained worse.

    The coarsest level of the encoding begins alone; the others join one after the other over the epochs.
    """
    numbers = torch.arange(problem.shape[0], device=problem.rhs.device, dtype=torch.float32)
    groups: list[dict[str, Any]] = [
        {"params": list(field.encoding.parameters())},
        {"params": list(field.network.parameters()), "weight_decay": WEIGHT_DECAY},
    ]
    adam = torch.optim.Adam(groups, lr=RATE)
    frames_at_once = problem.shape[0]
    best, since = math.inf, 0
    levels = field.encoding.levels
    loop, first = problem.context.loop("epochs", f"epoch {{}} of {epochs}"), 0
    if (kept := loop.found()) is not None:
        first, since, best = int(kept["iteration"]), int(kept["since"]), float(kept["best"])
        frames_at_once = int(kept["frames_at_once"])
        restore(kept, field, adam)

    def state() -> State:
        counts = {"since": torch.tensor(since), "frames_at_once": torch.tensor(frames_at_once), "best": number(best)}
        return {**counts, **state_of(field, adam)}

    for epoch in range(first, epochs):
        loop.keep(epoch, state)
        field.encoding.active_levels = 1 + epoch * levels // epochs
        for group in adam.param_groups:
            group["lr"] = RATE if epoch < epochs / 2 else RATE / 2
        adam.zero_grad()
        series, loss, frames_at_once = _gradient(problem, field, numbers, weights, frames_at_once)
        adam.step()
        problem.preview.offer(series, problem.scale)
        problem.context.step((epoch + 1) / epochs, f"epoch {epoch + 1} of {epochs}, loss {loss:.4g}")
        if held_out is None or (epoch + 1) % CHECK_EVERY or field.encoding.active_levels < levels:
            continue
        miss = held_out.miss(series)
        since = 0 if miss < best else since + 1
        best = min(best, miss)
        if since > held_out.patience:
            break
    field.encoding.active_levels = field.encoding.levels
    return field


def _gradient(
    problem: Problem, field: SpatioTemporalField, numbers: Tensor, weights: PublishedWeights, frames_at_once: int
) -> tuple[Tensor, float, int]:
    """Leaves the gradient of the loss in the parameters; the series, the loss, and how many frames went at once."""
    if frames_at_once == len(numbers):
        try:
            series = field(numbers)
            loss, slope = _loss(problem, series.detach(), weights)
            series.backward(slope)
            return series.detach(), loss, frames_at_once
        except (MemoryError, torch.OutOfMemoryError):
            frames_at_once = fewer_frames(frames_at_once, problem.context)
            field.zero_grad()
    with torch.no_grad():
        series = torch.cat([field(part) for part in numbers.split(frames_at_once)])
    loss, slope = _loss(problem, series, weights)
    while True:
        try:
            pairs = zip(numbers.split(frames_at_once), slope.split(frames_at_once), strict=True)
            for part, its_slope in pairs:
                field(part).backward(its_slope)
            return series, loss, frames_at_once
        except (MemoryError, torch.OutOfMemoryError):
            frames_at_once = fewer_frames(frames_at_once, problem.context)
            field.zero_grad()


def _loss(problem: Problem, series: Tensor, weights: PublishedWeights) -> tuple[float, Tensor]:
    """The loss of (frames, 1, y, x) ``series`` and its gradient, as autograd has it for complex numbers."""
    with torch.no_grad():
        foretold = problem.model.forward(series)
        wrong = torch.view_as_real(foretold - problem.samples)
        # of real and imaginary part each for itself; the denominator is taken as constant
        relative = wrong / (torch.view_as_real(foretold).square() + weights.epsilon)
        fit = float((wrong * relative).mean())
        slope = problem.model.adjoint(torch.view_as_complex(2 / wrong.numel() * relative))
    leaf = series.clone().requires_grad_()
    difference = torch.view_as_real(leaf.diff(dim=0))
    penalty = 0.0
    if weights.temporal and difference.numel():
        size = difference.detach().abs().max().clamp_min(1e-12)
        variation = weights.temporal * difference.abs().mean() / size
        slope = slope + torch.autograd.grad(variation, leaf)[0]
        penalty += float(variation.detach())
    if weights.low_rank:
        norm, its_slope = _nuclear_norm(series.flatten(1))
        slope = slope + weights.low_rank / len(series) * its_slope.reshape(series.shape)
        penalty += weights.low_rank / len(series) * norm
    return fit + penalty, slope


def _nuclear_norm(matrix: Tensor) -> tuple[float, Tensor]:
    """Of (frames, voxels), and its gradient U V^H; singular values of rounding errors count as zero."""
    squares, vectors = torch.linalg.eigh(matrix @ matrix.mH)
    values = squares.clamp_min(0).sqrt()
    inverse = torch.where(values > 1e-3 * values.max(), 1 / values, 0)
    return float(values.sum()), vectors @ (inverse[:, None] * (vectors.mH @ matrix))
