"""``recon --sweep``: a grid of jobs, one after the other, a table of them, and the best written as the output."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import settings
from DynamicMRIReconLib.cli_progress import Display, display
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.sweep import Choice, Trial, checked_points, choose, curve


def run_sweep(
    arguments: argparse.Namespace, job_of: Callable[..., Any], raised: Callable[[dict[str, Any]], Exception]
) -> int:
    """Do what ``recon`` with ``--sweep`` asks for.

    ``job_of`` makes a checked job from the arguments; ``raised`` turns a worker's last event into an error.
    """
    grid = parsed_grid(arguments.sweep)
    fixed = settings(arguments.settings, "--set")
    referenced = arguments.reference is not None or arguments.simulate is not None
    preset = arguments.preset or "standard"
    points = checked_points(arguments.method, preset, fixed, grid, referenced=referenced)
    jobs = [job_of(argparse.Namespace(**{**vars(arguments), "settings": _words(fixed, point)})) for point in points]
    output = Path(arguments.output)
    table, picture = _beside(output, jobs[0], referenced)
    started = time.monotonic()
    shown = display(events=arguments.events)
    try:
        with tempfile.TemporaryDirectory(prefix="dynamic-mri-recon-", ignore_cleanup_errors=True) as name:
            trials, results = _run_all(Path(name), jobs, points, shown, referenced, raised)
            choice = choose(trials, grid)
            done = _write(results[choice.index], output, trials, choice, table)
    finally:
        shown.close()
    if picture is not None:
        _draw(trials, choice, next(iter(grid)), picture)
    done |= {"elapsed_s": round(time.monotonic() - started, 2), "l_curve": None if picture is None else str(picture)}
    _tell(done, trials, choice, events=arguments.events)
    return 0


def parsed_grid(words: Iterable[str]) -> dict[str, list[str]]:
    """``NAME=v1,v2,...`` words as texts by name.

    Raises
    ------
    InputError
        A word without ``=``, a name that comes twice, an empty value.
    """
    grid = {name: [value.strip() for value in text.split(",")] for name, text in settings(words, "--sweep").items()}
    for name, values in grid.items():
        if not all(values):
            raise InputError(f"--sweep {name} has an empty value: write {name}=0.001,0.01,0.1 or the like.")
    return grid


def _words(fixed: dict[str, str], point: dict[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in {**fixed, **point}.items()]


def _beside(output: Path, job: Any, referenced: bool) -> tuple[Path, Path | None]:
    """Where table and L-curve go, seen to be no inputs."""
    from DynamicMRIReconLib.io import formats
    from DynamicMRIReconLib.jobs.checks import check_output

    _, suffix = formats.for_writing(output)
    stem = output.name[: -len(suffix)]
    table = output.with_name(f"{stem}-sweep.csv")
    picture = None if referenced else output.with_name(f"{stem}-l-curve.png")
    for path in (table, picture):
        if path is not None:
            check_output(path, [one.resolved(Path.cwd()) for one in job.all_inputs()], holds=None)
    return table, picture


def _run_all(
    folder: Path,
    jobs: list[Any],
    points: list[dict[str, Any]],
    shown: Display,
    referenced: bool,
    raised: Callable[[dict[str, Any]], Exception],
) -> tuple[list[Trial], dict[int, Path]]:
    """The trials, and the results that may still be chosen by their numbers."""
    trials: list[Trial] = []
    results: dict[int, Path] = {}
    progress = _Whole(shown, len(jobs))
    for number, (job, point) in enumerate(zip(jobs, points, strict=True)):
        place = folder / str(number)
        # complete, whatever the output's format can hold
        job.output = str(place / "complete.npz")
        job.save(place)
        progress.number = number
        last = _run_one(place, progress, raised)
        record = json.loads((place / files.PROVENANCE).read_text(encoding="utf-8"))
        if referenced and record["metrics"] is None:
            reasons = [text for text in record["warnings"] if "reference" in text]
            raise InputError(reasons[-1] if reasons else "The result could not be compared with the reference.")
        trials.append(Trial(point, last["elapsed_s"], record["metrics"], record["figures"] or {}))
        results[number] = Path(job.output)
        if referenced:
            best = choose(trials, {}).index
            for other in [n for n in results if n != best]:
                results.pop(other).unlink()
        for path in (place / files.RESULT, place / files.PREVIEW):
            files.remove(path)
        files.remove_parts(place)
    return trials, results


def _run_one(place: Path, progress: _Whole, raised: Callable[[dict[str, Any]], Exception]) -> dict[str, Any]:
    from DynamicMRIReconLib.cli_failure import keep_log
    from DynamicMRIReconLib.cli_signals import cancelling
    from DynamicMRIReconLib.jobs.local import LocalRunner

    runner = LocalRunner()
    last: dict[str, Any] = {}

    def on_event(event: dict[str, Any]) -> None:
        last.clear()
        last.update(event)
        progress.show(event)

    with cancelling(runner):
        code = runner.run(place, on_event)
    if code == Cancelled.exit_code:
        raise raised({"event": "cancelled"})
    if code != 0:
        raise raised({**last, "message": keep_log(str(last.get("message", "")), place / files.LOG)})
    return last


class _Whole:
    """Shows the events of the jobs as those of one long job."""

    def __init__(self, shown: Display, count: int) -> None:
        self.number = 0
        self._shown, self._count = shown, count
        self._started = time.monotonic()
        self._warned: set[str] = set()

    def show(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "progress":
            fraction = (self.number + event["fraction"]) / self._count
            elapsed = time.monotonic() - self._started
            # the first job must be well under way before it says anything about the others
            known = fraction > 0.3 / self._count
            entries = {
                "fraction": round(fraction, 5),
                "message": f"{self.number + 1} of {self._count}: {event['message']}",
                "elapsed_s": round(elapsed, 2),
                "remaining_s": round(elapsed / fraction - elapsed, 1) if known else None,
            }
            self._shown.show({**event, **entries})
        elif kind == "warning" and event["message"] not in self._warned:
            self._warned.add(event["message"])
            self._shown.show(event)
        elif kind == "preview" or (kind == "started" and self.number == 0):
            self._shown.show(event)


def _write(result: Path, output: Path, trials: list[Trial], choice: Choice, table: Path) -> dict[str, Any]:
    """Write the chosen series and the table; gives most of the fields of a ``done`` event."""
    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.data import ImageSeries
    from DynamicMRIReconLib.evaluation import means
    from DynamicMRIReconLib.evaluation.sweep_report import write_sweep_csv
    from DynamicMRIReconLib.io.part_files import write_parts

    series = io.read(result)
    assert isinstance(series, ImageSeries)
    best = trials[choice.index]
    tried = {name: list(dict.fromkeys(trial.parameters[name] for trial in trials)) for name in best.parameters}
    series = series.with_metadata(sweep={"tried": tried, "reason": choice.reason})
    write_sweep_csv(trials, choice.index, table)
    parts = write_parts(output, series)
    io.write(output, series)
    return {
        "event": "done",
        "path": str(output),
        "output": str(output),
        "parts": {name: str(path) for name, path in parts.items()},
        "frames": series.frames,
        "metrics": None if best.metrics is None else means(best.metrics),
        "chosen": best.parameters,
        "reason": choice.reason,
        "sweep": str(table),
    }


def _draw(trials: list[Trial], choice: Choice, name: str, path: Path) -> None:
    from DynamicMRIReconLib.evaluation import l_curve

    order, misfits, penalties = curve(trials, name)
    labels = [f"{trials[i].parameters[name]:g}" for i in order]
    chosen = order.index(choice.index)
    note = f"suggested: {name} = {labels[chosen]}; judge the images"
    l_curve.write_l_curve_png(misfits, penalties, labels, chosen, path, f"L-curve over {name}", note)


def _tell(done: dict[str, Any], trials: list[Trial], choice: Choice, *, events: bool) -> None:
    if events:
        print(json.dumps(done), flush=True)
        return
    from DynamicMRIReconLib.evaluation.sweep_report import sweep_table

    suggested = done["l_curve"] is not None
    print(sweep_table(trials, choice.index, "suggested" if suggested else "best"))
    print(choice.reason)
    paths = [done["path"], *done["parts"].values(), done["sweep"], *([done["l_curve"]] if suggested else [])]
    chosen = ", ".join(f"{name}={value}" for name, value in done["chosen"].items())
    print(f"{chosen} after {done['elapsed_s']:.1f} s -> {', '.join(paths)}. Not for diagnostic use.")
