"""The same reconstruction over a grid of parameters, and which of them to take."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Data
from DynamicMRIReconLib.pipeline import Status, reconstruct

MOST_POINTS = 100
#: fewest points that can have a corner between them
FEWEST_FOR_L_CURVE = 3

Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Trial:
    """One point of the grid: its parameters, wall ``seconds``, and what is known of the result.

    ``metrics`` is the dict of ``evaluation.evaluate``, None without a reference; ``figures`` are the method's own, see
    ``Context.add_figures``.
    """

    parameters: dict[str, Any]
    seconds: float
    metrics: dict[str, Any] | None
    figures: dict[str, float]


@dataclass(frozen=True)
class Choice:
    """Which of the trials to take, and why, in sentences fit to show."""

    index: int
    reason: str


@dataclass(frozen=True)
class SweepResult:
    """All trials, in the order of the grid; the chosen one, and its series."""

    trials: tuple[Trial, ...]
    choice: Choice
    series: ImageSeries


def sweep(
    data: Data,
    method: str,
    grid: Grid,
    /,
    *,
    reference: ImageSeries | None = None,
    preset: str = "standard",
    device: str = "auto",
    seed: int = 0,
    callback: Callable[[Status], bool | None] | None = None,
    **parameters: Any,
) -> SweepResult:
    """Reconstruct ``data`` at every point of ``grid`` and take the best: see ``choose``.

    Parameters
    ----------
    data, method, preset, device, seed, parameters
        As for ``reconstruct``; ``parameters`` are the same at every point.
    grid
        name of a parameter: its values. Without a ``reference``: one weight with three values or more.
    reference
        Series to compare with. With it only the best series so far is kept in memory, else all.
    callback
        Called with a ``Status`` of the whole sweep; returning False stops.

    Raises
    ------
    InputError
        The grid is wrong (before anything runs), or the data or the reference do not fit.
    ResourceError, Cancelled
        As ``reconstruct``.
    """
    from DynamicMRIReconLib.evaluation import evaluate

    points = checked_points(method, preset, parameters, grid, referenced=reference is not None)
    started = time.monotonic()
    trials: list[Trial] = []
    kept: dict[int, ImageSeries] = {}
    for number, point in enumerate(points):

        def forward(status: Status, number: int = number) -> bool | None:
            if callback is None:
                return None
            message = f"{number + 1} of {len(points)}: {status.message}"
            return callback(Status((number + status.fraction) / len(points), message, time.monotonic() - started))

        begun = time.monotonic()
        values = {**parameters, **point}
        series = reconstruct(data, method, preset=preset, device=device, seed=seed, callback=forward, **values)
        seconds = time.monotonic() - begun
        metrics = None if reference is None else evaluate(series, reference)
        trials.append(Trial(point, seconds, metrics, series.metadata.get("figures", {})))
        if metrics is None or all(_psnr(trials[-1]) > _psnr(one) for one in trials[:-1]):
            kept = {**({} if metrics is not None else kept), number: series}
    choice = choose(trials, grid)
    return SweepResult(tuple(trials), choice, kept[choice.index])


def checked_points(
    method: str, preset: str, parameters: Mapping[str, Any], grid: Grid, *, referenced: bool
) -> list[dict[str, Any]]:
    """Every point of ``grid``, the last name changing fastest, after checking what can be checked without data.

    Raises
    ------
    InputError
        A name or value that the method does not have or that comes twice, one that is fixed as well, fewer than 2 or
        more than 100 points; or without a reference anything that is no L-curve over one weight.
    """
    chosen = registry.get(method)
    for name, values in grid.items():
        if name not in chosen.Parameters.model_fields:
            known = ", ".join(chosen.Parameters.model_fields) or "none"
            raise InputError(f"The sweep: method {method} has no parameter {name!r}; it has: {known}.")
        if name in parameters:
            raise InputError(f"The sweep: {name} is swept and given a fixed value as well: leave one of them out.")
        if not len(values):
            raise InputError(f"The sweep: {name} has no values: write {name}=0.001,0.01,0.1 or the like.")
        checked = [getattr(chosen.parameters(preset, **{**parameters, name: value}), name) for value in values]
        if len({repr(value) for value in checked}) < len(checked):
            raise InputError(f"The sweep: {name} has the same value twice.")
    count = 1
    for values in grid.values():
        count *= len(values)
    if not 2 <= count <= MOST_POINTS:
        raise InputError(f"The sweep has {count} point{'s' * (count != 1)}: give 2 to {MOST_POINTS}.")
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    points = [_converted(chosen, preset, parameters, point) for point in points]
    if not referenced:
        _check_l_curve(method, points, list(grid))
    return points


def choose(trials: Sequence[Trial], grid: Grid) -> Choice:
    """The trial with the highest mean PSNR; without a reference the corner of the L-curve, which is a suggestion."""
    if all(trial.metrics is not None for trial in trials):
        index = max(range(len(trials)), key=lambda i: _psnr(trials[i]))
        return Choice(index, " ".join(["Best: highest PSNR against the reference.", *_at_the_edge(trials, index)]))
    from DynamicMRIReconLib.evaluation import l_curve

    (name,) = grid
    order, misfits, penalties = curve(trials, name)
    found = l_curve.corner(misfits, penalties)
    if found is None:
        nearest = order[l_curve.nearest_to_origin(misfits, penalties)]
        return Choice(
            nearest,
            "Suggested only: the L-curve has no corner in this range, so the point nearest to its lower left was "
            "taken. Try a wider range, and judge the images.",
        )
    return Choice(
        order[found],
        "Suggested: the corner of the L-curve. This is a rule of thumb and no measurement: judge the images.",
    )


def curve(trials: Sequence[Trial], name: str) -> tuple[list[int], list[float], list[float]]:
    """The L-curve over the weight ``name``: indices of the trials by rising weight, ``|A x - y|`` and penalties.

    Raises
    ------
    InputError
        The method does not tell its misfit.
    """
    order = sorted(range(len(trials)), key=lambda i: trials[i].parameters[name])
    key = f"penalty_per_{name}"
    if any("misfit" not in trial.figures or key not in trial.figures for trial in trials):
        raise InputError("This method does not tell its misfit and penalty: an L-curve needs them; give a reference.")
    misfits = [(2 * trials[i].figures["misfit"]) ** 0.5 for i in order]
    return order, misfits, [trials[i].figures[key] for i in order]


def _check_l_curve(method: str, points: Sequence[Mapping[str, Any]], names: list[str]) -> None:
    weights = [name for name in registry.get(method).Parameters.model_fields if name.endswith("regularization")]
    if not weights:
        raise InputError(f"The sweep: {method} has no regularization, so there is no L-curve: give a reference.")
    if len(names) != 1 or names[0] not in weights:
        raise InputError(
            f"The sweep: without a reference an L-curve is drawn, over one weight ({' or '.join(weights)}); "
            f"{' and '.join(names)} cannot be judged by it: give a reference."
        )
    values = [point[names[0]] for point in points]
    if len(values) < FEWEST_FOR_L_CURVE or min(values) <= 0:
        raise InputError(
            f"The sweep: an L-curve needs {FEWEST_FOR_L_CURVE} or more values above 0, better 7 or more a factor of 2 "
            "to 3 apart."
        )


def _converted(method: Any, preset: str, parameters: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    checked = method.parameters(preset, **{**parameters, **point})
    return {name: getattr(checked, name) for name in point}


def _psnr(trial: Trial) -> float:
    assert trial.metrics is not None
    return float(trial.metrics["psnr_db"]["mean"])


def _at_the_edge(trials: Sequence[Trial], index: int) -> list[str]:
    """A sentence for each swept number whose best value is the smallest or largest that was tried."""
    sentences = []
    for name, value in trials[index].parameters.items():
        values = {trial.parameters[name] for trial in trials}
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
        if numbers and len(values) > 1 and value in (min(values), max(values)):
            sentences.append(f"Its {name} = {value:g} lies at the edge of the grid: the best may lie beyond.")
    return sentences
