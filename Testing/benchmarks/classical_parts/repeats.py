"""Close races run again, in alternation: one run of each says little where CPU times differ by a tenth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from classical_parts.contenders import CONTENDERS, Contender
from classical_parts.results import Results, Row
from classical_parts.settings import Setting
from classical_parts.verdicts import reached

#: a race is close when neither needs more than this times the CPU time of the other
CLOSE = 1.3

Measure = Callable[[Contender, Path, dict[str, Any], bool], Row]


def close_races(setting: Setting, results: Results) -> list[tuple[Contender, Row, Contender, Row]]:
    """The best rows of a method and its rival, where the time to the rival's PSNR is near the rival's time."""
    found = []
    for contender in CONTENDERS.values():
        ours, rival = results.best(setting.name, contender), CONTENDERS.get(contender.rival)
        theirs = results.best(setting.name, rival) if rival else None
        time_s = reached(ours, theirs) if ours and theirs else None
        if rival and ours and theirs and time_s and 1 / CLOSE < time_s / theirs["cpu_s"] < CLOSE:
            found.append((contender, ours, rival, theirs))
    return found


def repeat(setting: Setting, results: Results, place: Path, times: int, measure: Measure) -> None:
    """Run each close race ``times`` times and keep, of either side, the run with the median CPU time."""
    for contender, ours, rival, theirs in close_races(setting, results):
        if "repeats" in ours and "repeats" in theirs:
            continue
        rows: dict[str, list[Row]] = {contender.name: [], rival.name: []}
        for _ in range(times):
            for runner, row in ((contender, ours), (rival, theirs)):
                rows[runner.name].append(measure(runner, place, row["parameters"], setting.cartesian))
        for runner in (contender, rival):
            in_order = sorted(rows[runner.name], key=lambda row: float(row["cpu_s"]))
            middle = {**in_order[times // 2], "repeats": times}
            results.put(setting.name, runner, middle["parameters"], middle)
            print(setting.name, runner.name, "CPU", " ".join(f"{row['cpu_s']:.2f}" for row in in_order), flush=True)
