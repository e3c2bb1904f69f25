"""Batches of broken files, each in a process forked from this one, in limited memory and time."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz_parts import judge
from fuzz_parts.case import UNBROKEN, Case, Format
from fuzz_parts.observe import Watch
from fuzz_parts.trial import Good, Trial, files_in

#: what a child may take in addition to what the modules take
MEMORY_BYTES = 512 << 20
CPU_S, WALL_S = 10.0, 90.0
_BATCH = 50


@dataclass
class Finding:
    """A case that did not end as it should."""

    case: Case
    label: str
    verdict: judge.Verdict
    kept: Path | None = None


@dataclass
class Outcome:
    """Counts by column, and what to mend."""

    counts: Counter[str] = field(default_factory=Counter)
    labels: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    findings: list[Finding] = field(default_factory=list)
    structured: int = 0


class Runner:
    """Runs the cases of one format after the other."""

    def __init__(self, run_seed: int, base: Path, keep: Path | None = None) -> None:
        self._seed, self._base, self._keep = run_seed, base, keep
        self._watch = Watch()

    def good(self, one: Format) -> Good:
        """The good files of a format; they must be read without a word of complaint.

        Raises
        ------
        AssertionError
            They are not.
        """
        folder = self._base / "good"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        given = one.good(folder).relative_to(folder).as_posix()
        good = Good(files_in(folder), given, None)
        trial = Trial(one, good, Case(one.name, UNBROKEN), self._seed, self._watch, self._base)
        trial.make()
        seen = trial.read()
        trial.clean()
        accepted = seen.code == 0 or (one.done and one.done in seen.err)
        assert accepted, f"{one.name}: the good file is refused: {seen.err}"
        assert not seen.crimes, f"{one.name}: the good file {seen.crimes}"
        return Good(good.files, given, None if seen.data is None else judge.fingerprint(seen.data))

    def run(self, one: Format, good: Good, cases: list[Case]) -> Outcome:
        """Run and count them; what fails is run once more, alone in a process of its own, and kept."""
        outcome = Outcome()
        for case in cases:
            if case.fault:
                one.faults[case.fault].prepare(case.value)
        for case, label, verdict in self._batches(one, good, cases, _BATCH):
            if verdict[0] in judge.BAD:
                label, verdict = self._alone(one, good, case)
            outcome.counts[verdict[0]] += 1
            outcome.structured += bool(case.fault)
            outcome.labels[label][verdict[0]] += 1
            if verdict[0] in judge.BAD:
                outcome.findings.append(Finding(case, label, verdict, self._kept(one, good, case)))
        return outcome

    def _alone(self, one: Format, good: Good, case: Case) -> tuple[str, judge.Verdict]:
        ((_, label, verdict),) = self._batches(one, good, [case], 1)
        return label, verdict

    def _kept(self, one: Format, good: Good, case: Case) -> Path | None:
        trial = Trial(one, good, case, self._seed, self._watch, self._base)
        if self._keep is None:
            trial.clean()
            return None
        kept = self._keep / trial.base.name
        shutil.rmtree(kept, ignore_errors=True)
        self._keep.mkdir(parents=True, exist_ok=True)
        if trial.base.exists():
            shutil.move(trial.base, kept)
        return kept

    def _batches(
        self, one: Format, good: Good, cases: list[Case], size: int
    ) -> Iterator[tuple[Case, str, judge.Verdict]]:
        waiting = list(cases)
        while waiting:
            batch = waiting[:size]
            trials = [Trial(one, good, case, self._seed, self._watch, self._base) for case in batch]
            lines, status = _forked(trials)
            done = [line for line in lines if "verdict" in line]
            by_number = {case.number: case for case in batch}
            for line in done:
                yield by_number[line["number"]], line["label"], tuple(line["verdict"])
            waiting = waiting[len(done) :]
            if len(done) < len(batch):
                begun = lines[-1] if lines and "verdict" not in lines[-1] else None
                if begun is None:
                    raise RuntimeError(f"{one.name}: a child ended between two cases, status {status}")
                yield batch[len(done)], begun["label"], _death(status)
                waiting = waiting[1:]


def _death(status: int) -> judge.Verdict:
    if not os.WIFSIGNALED(status):
        return judge.CRASH, f"the process ended with exit code {os.waitstatus_to_exitcode(status)}"
    name = signal.Signals(os.WTERMSIG(status)).name
    late = name in ("SIGALRM", "SIGPROF", "SIGXCPU")
    return (judge.HANG, f"no end after {CPU_S:g} s of computing") if late else (judge.CRASH, name)


def _forked(trials: list[Trial]) -> tuple[list[dict[str, Any]], int]:
    """What a child that runs the trials tells, line by line, and how it ended."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _limit()
            _work(trials, writing)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(70)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        lines = [json.loads(line) for line in stream if line.endswith("\n")]
    return lines, os.waitpid(child, 0)[1]


def _limit() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  no file, but the kernel's answer
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)


def _work(trials: Iterable[Trial], writing: int) -> None:
    for trial in trials:
        trial.make()
        _tell(writing, number=trial.case.number, label=trial.label)
        signal.setitimer(signal.ITIMER_REAL, WALL_S)
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        verdict = trial.run()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        if verdict[0] not in judge.BAD:
            trial.clean()
        _tell(writing, number=trial.case.number, label=trial.label, verdict=verdict)


def _tell(writing: int, **entries: Any) -> None:
    os.write(writing, (json.dumps(entries) + "\n").encode())
