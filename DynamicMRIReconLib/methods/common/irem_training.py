"""The training of IREM: least squares between measured voxels and means over their slice profiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.adam_state import restore, state_of
from DynamicMRIReconLib.methods.common.irem_points import Points, ProfilePoints
from DynamicMRIReconLib.solvers.keeping import State

#: gradient length, of the brightest voxel a voxel, below which total variation is smooth
_TV_SMOOTHING = 0.01


@dataclass(frozen=True)
class Training:
    """How to train.

    Attributes
    ----------
    epochs, batch
        Rounds through all voxels, and voxels a step.
    learning_rate, grid_rate
        Adam's step of the network, and of grids (where the network has some).
    halve_every
        Epochs after which both are halved; 0 lets them fall evenly, as half a cosine, to a fiftieth.
    regularization
        Weight of the total variation, at a share of the points, over the misfit.
    mixed
        Evaluate the network in bfloat16 where that is safe; positions, misfit and weights stay in float32.
    voxel
        The distance over which its differences are taken, in positions.
    """

    epochs: int
    batch: int
    learning_rate: float
    grid_rate: float
    halve_every: int
    regularization: float
    voxel: float
    mixed: bool = False


def train(
    network: nn.Module,
    points: Points,
    profile: ProfilePoints,
    how: Training,
    generator: torch.Generator,
    context: Context,
) -> tuple[float, float]:
    """Train in place; gives the mean squared error and the mean total variation of the last epoch.

    Raises
    ------
    Cancelled
        Within one step.
    """
    if how.epochs == 0:
        return float("nan"), float("nan")
    network.train()
    optimiser = torch.optim.Adam(_groups(network, how), betas=(0.9, 0.999), eps=1e-8)
    steps = -(-len(points) // how.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _rate(how, steps))
    figures, total = torch.zeros(2, dtype=torch.float64), torch.zeros(2, device=points.values.device)
    loop, first, begin = context.loop("epochs", f"epoch {{}} of {how.epochs}"), 0, 0
    order = generator.get_state()
    if (kept := loop.found()) is not None:
        first, begin, total, order = int(kept["iteration"]), int(kept["batch"]), kept["total"], kept["order"]
        restore(kept, network, optimiser)
        generator.set_state(order)
        _set_rate(schedule, int(kept["steps"]))

    def state() -> State:
        counts = {"batch": torch.tensor(number), "steps": torch.tensor(schedule.last_epoch)}
        return {**counts, "total": total, "order": order, **state_of(network, optimiser)}

    for epoch in range(first, how.epochs):
        order = generator.get_state()
        for number, chosen in enumerate(points.batches(how.batch, generator)):
            if len(chosen) < 2 or number < begin:
                continue  # batch normalisation needs two; or it was done before this run
            loop.keep(epoch, state)
            context.step((epoch + number / steps) / how.epochs, f"epoch {epoch + 1} of {how.epochs}")
            misfit, variation = _terms(network, points, chosen, profile, how)
            loss = misfit + how.regularization * variation
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += torch.stack([misfit, variation]).detach() * len(chosen)
        figures = total.double().cpu() / len(points)
        begin, total = 0, torch.zeros_like(total)
    return float(figures[0]), float(figures[1])


def _terms(
    network: nn.Module, points: Points, chosen: Tensor, profile: ProfilePoints, how: Training
) -> tuple[Tensor, Tensor]:
    """Misfit and total variation of a batch; the latter is not computed where it does not count."""

    def evaluated(positions: Tensor) -> Tensor:
        with torch.autocast(positions.device.type, torch.bfloat16, enabled=how.mixed):
            found: Tensor = network(positions.reshape(-1, 3))
        return found.float().reshape(positions.shape[:2])

    at = profile.around(points, chosen)
    found = evaluated(at)
    misfit = (found.mean(1) - points.values[chosen]).square().mean()
    if how.regularization == 0:
        return misfit, torch.zeros_like(misfit)
    # one point of each voxel serves the penalty: its neighbours, a voxel on along each axis, are looked up as well
    here = at[:, at.shape[1] // 2]
    ahead = here[:, None] + how.voxel * torch.eye(3, device=here.device)
    apart = evaluated(ahead) - found[:, at.shape[1] // 2, None]
    return misfit, (apart.square().sum(1) + _TV_SMOOTHING**2).sqrt().mean()


def _groups(network: nn.Module, how: Training) -> list[dict[str, object]]:
    grids: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (grids if ".levels." in name else rest).append(parameter)
    groups: list[dict[str, object]] = [{"params": rest, "lr": how.learning_rate}]
    return [*groups, {"params": grids, "lr": how.grid_rate}] if grids else groups


def _rate(how: Training, steps: int) -> Callable[[int], float]:
    def halved(step: int) -> float:
        return 0.5 ** (step // steps // how.halve_every)

    def cosine(step: int) -> float:
        return 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, step / (steps * how.epochs))))

    return halved if how.halve_every else cosine


def _set_rate(schedule: torch.optim.lr_scheduler.LambdaLR, steps: int) -> None:
    """As after so many steps."""
    schedule.last_epoch = steps
    groups = schedule.optimizer.param_groups
    for group, base, factor in zip(groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
        group["lr"] = base * factor(steps)


def evaluate(
    network: nn.Module, positions_of: Callable[[slice], Tensor], planes: int, at_once: int, context: Context
) -> Tensor:
    """(planes, y, x) intensities, a few planes at once; ``positions_of`` gives (planes, y, x, 3) of some.

    Batch normalisation uses what it has learned, so that the result does not depend on the chunks.
    """
    network.eval()
    volume = []
    with torch.no_grad():
        for plane in range(planes):
            context.step(plane / planes, "Evaluating the network")
            at = positions_of(slice(plane, plane + 1))
            flat = at.reshape(-1, 3)
            parts = [network(flat[first : first + at_once]) for first in range(0, len(flat), at_once)]
            volume.append(torch.cat(parts).reshape(at.shape[:3]).float().cpu())
    return torch.cat(volume)
