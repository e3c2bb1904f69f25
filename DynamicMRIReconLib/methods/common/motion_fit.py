"""Fitting a ``MotionField`` to samples: the network in image space, the samples by conjugate gradients, in turn.

``min_(x, field) |A x - y|^2 / 2 + penalties(field)`` subject to ``x = field``, by the alternating direction method of
multipliers. Samples at the edge of k-space count a hundred times less than those at its centre; descent through the
transform crawls there, while the preconditioned conjugate gradients of the x step do not, and the steps of the
network need no transform at all.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from DynamicMRIReconLib.methods.common.adam_state import below, restore, state_of
from DynamicMRIReconLib.methods.common.fewer_frames import fewer_frames
from DynamicMRIReconLib.networks.motion_field import MotionField, MotionParts
from DynamicMRIReconLib.operators.preconditioner import SeriesPreconditioner
from DynamicMRIReconLib.solvers.admm import improve
from DynamicMRIReconLib.solvers.keeping import State, number

if TYPE_CHECKING:
    from DynamicMRIReconLib.methods.common.held_out import HeldOut
    from DynamicMRIReconLib.methods.common.problem import Problem

#: weight of the constraint x = field; sets the pace
COUPLING = 0.05
#: first steps of Adam: of image values, which are about 1, and of displacements in voxels
IMAGE_RATE, DISPLACEMENT_RATE = 0.01, 0.1
BETAS = (0.9, 0.99)
#: of the first fit, which has to find the motion, this part is spent on it alone
MOTION_FIRST = 0.6
#: rounds off the corner of absolute values, far below what is seen
SMOOTHING = 1e-6
#: the rates fall to this part of their start
LAST_RATE = 0.05


@dataclass(frozen=True)
class FieldWeights:
    """Weights of the penalties, for image values of about 1 and displacements in voxels.

    Attributes
    ----------
    image
        of the total variation of the image that moves; it stands for all frames at once.
    change_temporal, change_spatial, change
        of the change's total variation in time and space, and of its magnitude.
    motion, motion_temporal
        of the squared differences of the displacement between neighbours in space and time.
    cyclic
        whether the first frame is a neighbour of the last.
    """

    image: float
    change_temporal: float
    change_spatial: float
    change: float
    motion: float
    motion_temporal: float
    cyclic: bool

    def of(self, parts: MotionParts, after: MotionParts | None, share: float = 1.0) -> Tensor:
        """The sum of the penalties of some frames in a row, and ``share`` of the image's.

        The first frame of ``after`` is the neighbour of the last of ``parts``, which has none when None.
        """
        change, displacement = parts.change, parts.displacement
        total = share * self.image * _total_variation(parts.image) + self.change_spatial * _total_variation(change)
        next_change = None if after is None else after.change[:1]
        total = total + self.change_temporal * _magnitude(change.diff(dim=0, append=next_change)).sum()
        total = total + self.change * _magnitude(change).sum()
        for axis in (-2, -1):
            total = total + self.motion / 2 * displacement.diff(dim=axis).square().sum()
        next_displacement = None if after is None else after.displacement[:, :1]
        return total + self.motion_temporal / 2 * displacement.diff(dim=1, append=next_displacement).square().sum()


def fit_motion_field(
    problem: Problem,
    start: Tensor,
    weights: FieldWeights,
    *,
    iterations: int,
    steps: int,
    first_steps: int,
    held_out: HeldOut | None = None,
) -> MotionField:
    """A field whose frames explain the samples of ``problem``.

    Parameters
    ----------
    problem
        one slice; its model leaves out the samples held out.
    start
        (frames, 1, y, x) series to start from; its first frame becomes the image that moves.
    weights
        of the penalties.
    iterations
        rounds of steps of the network and of x.
    steps, first_steps
        steps of Adam in a round, and before the first.
    held_out
        samples that are not fitted: what explains them best is returned; fitting ends when they have been explained
        worse for a while.

    Returns
    -------
    MotionField
        whose measured frames are x: the little that the steps of the network leave open goes to its change.

    Raises
    ------
    ValueError
        If values stop being finite.
    """
    frames, _, ny, nx = problem.shape
    field = MotionField((frames, ny, nx)).to(start.device)
    field.start_from(start[0, 0])
    numbers = torch.arange(frames, device=start.device, dtype=torch.float32)
    descent = Descent(field, numbers, weights, problem.context)
    solve = SeriesPreconditioner(
        problem.density, temporal=0.0, spatial=0.0, identity=COUPLING, spatial_axes=(2, 3), transform_axes=(2, 3)
    )
    x, gram_x = start, problem.model.gram(start)
    dual = torch.zeros_like(x)
    best: tuple[dict[str, Tensor], Tensor] | None = None
    best_miss, since = math.inf, 0
    loop, first = problem.context.loop("motion", f"iteration {{}} of {iterations}"), 0
    if (kept := loop.found()) is not None:
        first, since, best_miss = int(kept["iteration"]), int(kept["since"]), float(kept["best_miss"])
        x, gram_x, dual = kept["x"], kept["gram_x"], kept["dual"]
        best = (below("best ", kept), kept["best"]) if "best" in kept else None
        descent.restore(kept)

    def state() -> State:
        chosen = {} if best is None else {"best": best[1], **{f"best {name}": t for name, t in best[0].items()}}
        count = {"since": torch.tensor(since), "best_miss": number(best_miss)}
        return {"x": x, "gram_x": gram_x, "dual": dual, **count, **chosen, **descent.state()}

    for iteration in range(first, iterations):
        done = iteration / iterations
        in_round = first_steps if iteration == 0 else steps
        descent.run(
            x + dual, in_round, done, 1 / iterations, partial(loop.keep, iteration, state), alone=iteration == 0
        )
        with torch.no_grad():
            series = field(numbers)
            dual = dual + x - series
            target = problem.rhs + COUPLING * (series - dual)
            x, gram_x = improve(
                problem.model.gram, lambda v: COUPLING * v, target, x, gram_x, solve, problem.inner_iterations
            )
            problem.preview.offer(x, problem.scale)
        if not math.isfinite(float(torch.linalg.vector_norm(x))):
            raise ValueError(f"The fit met numbers that are not finite in iteration {iteration + 1}.")
        if held_out is None:
            continue
        since += 1
        miss = held_out.miss(x)
        if miss < best_miss:
            best, best_miss, since = (copy.deepcopy(field.state_dict()), x), miss, 0
        if since > held_out.patience:
            break
    if best is not None:
        field.load_state_dict(best[0])
        x = best[1]
    with torch.no_grad():
        field.add_change(x[:, 0] - field(numbers)[:, 0])
    return field


class Descent:
    """Steps of Adam on ``COUPLING |field - target|^2 / 2 + penalties``."""

    def __init__(self, field: MotionField, numbers: Tensor, weights: FieldWeights, context: Any) -> None:
        self.field, self.numbers, self.weights, self.context = field, numbers, weights, context
        self.frames_at_once = len(numbers)
        self.groups: list[dict[str, Any]] = [
            {"params": list(field.displacement.parameters()), "rate": DISPLACEMENT_RATE},
            {"params": [*field.image.parameters(), *field.change.parameters()], "rate": IMAGE_RATE},
        ]
        self.adam = torch.optim.Adam(self.groups, lr=IMAGE_RATE, betas=BETAS)
        self.step = 0

    def state(self) -> State:
        """What ``restore`` needs."""
        counts = {"step": torch.tensor(self.step), "frames_at_once": torch.tensor(self.frames_at_once)}
        return {**counts, **state_of(self.field, self.adam)}

    def restore(self, state: State) -> None:
        """Be where ``state`` was taken."""
        self.step, self.frames_at_once = int(state["step"]), int(state["frames_at_once"])
        restore(state, self.field, self.adam)

    def run(
        self, target: Tensor, steps: int, done: float, share: float, keep: Callable[[], None], *, alone: bool
    ) -> None:
        """``steps`` towards (frames, 1, y, x) ``target``; ``alone``: first only the displacement moves.

        ``keep`` is called before each step. After ``restore`` it does the steps that are left.
        """
        for step in range(self.step, steps):
            self.step = step
            keep()
            self.context.step(done + share * step / steps, f"step {step + 1} of {steps}, {done:.0%} of the fit")
            for group in self.adam.param_groups:
                group["lr"] = group["rate"] * (1 - done + LAST_RATE)
            if alone and step < MOTION_FIRST * steps:
                self.adam.param_groups[1]["lr"] = 0.0
            self.gradient(target[:, 0])
            self.adam.step()
        self.step = 0

    def gradient(self, target: Tensor) -> None:
        """The gradient of all frames, a block of frames after the other where all together are too many."""
        while True:
            try:
                self.adam.zero_grad()
                for first in range(0, len(target), self.frames_at_once):
                    self._add_gradient(target, first)
                return
            except (MemoryError, torch.OutOfMemoryError):
                self.frames_at_once = fewer_frames(self.frames_at_once, self.context)

    def _add_gradient(self, target: Tensor, first: int) -> None:
        end = min(first + self.frames_at_once, len(target))
        parts, after = self.field.parts(self.numbers[first:end]), None
        if end < len(target):
            after = self.field.parts(self.numbers[end : end + 1])
        elif self.weights.cyclic:
            after = parts if first == 0 else self.field.parts(self.numbers[:1])
        error = parts.series - target[first:end]
        loss = COUPLING / 2 * (error.real.square() + error.imag.square()).sum()
        (loss + self.weights.of(parts, after, (end - first) / len(target))).backward()


def _magnitude(values: Tensor) -> Tensor:
    return (values.real.square() + values.imag.square() + SMOOTHING).sqrt()


def _total_variation(images: Tensor) -> Tensor:
    along_x = images.diff(dim=-1, append=images[..., -1:])
    along_y = images.diff(dim=-2, append=images[..., -1:, :])
    squared = along_x.real.square() + along_x.imag.square() + along_y.real.square() + along_y.imag.square()
    return (squared + SMOOTHING).sqrt().sum()
