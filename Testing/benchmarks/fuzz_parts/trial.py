"""One broken file from its making to its verdict, in a process that may die of it."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts import judge, mutator
from fuzz_parts.case import UNBROKEN, Case, Expected, Format, Place
from fuzz_parts.observe import Seen, Watch, observed

#: reconstructing costs several times what reading costs: every so many files
_JOB_EVERY = 10
_LARGEST_JOB_BYTES = 200_000
_JOB_FILES = {"job.json", "events.jsonl", "log.txt"}
_RESULT_FILES = {"preview.npy", "result.seq.nrrd", "provenance.json"}


@dataclass(frozen=True)
class Good:
    """The good files of a format in memory, the path that is read, and the fingerprint of what they hold."""

    files: dict[str, bytes]
    given: str
    fingerprint: str | None

    def write(self, folder: Path) -> Path:
        """Write them; gives the path that is read."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / self.given


def files_in(folder: Path) -> dict[str, bytes]:
    """The files in and below a folder, what links point to included."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


class Trial:
    """Makes, runs and judges a case; between ``make`` and ``run`` the caller can note what comes."""

    def __init__(self, one: Format, good: Good, case: Case, run_seed: int, watch: Watch, base: Path) -> None:
        self.format, self.good, self.case, self.seed, self._watch = one, good, case, run_seed, watch
        self.base = base / f"{one.name.replace(' ', '-').replace('/', '-')}-{case.number}"
        self.label = case.fault
        self.strict = False
        self._expected: Expected = "any"
        self._place = Place(self.base, self.base)

    def make(self) -> None:
        """Write the broken file."""
        shutil.rmtree(self.base, ignore_errors=True)
        (self.base / "tmp").mkdir(parents=True)
        (self.base / "talk").mkdir()
        data = self.base / "data"
        data.mkdir()
        self._place = Place(data, self.good.write(data), list(self.format.options))
        if self.case.number == UNBROKEN:
            return
        if self.case.fault:
            fault = self.format.faults[self.case.fault]
            self._expected = fault.apply(self._place, self.case.value) or fault.expected
            return
        random = np.random.default_rng([self.seed, self.case.number, *self.format.name.encode()])
        target = data / self.format.targets[int(random.integers(len(self.format.targets)))]
        content, self.label = mutator.broken(target.read_bytes(), random)
        target.write_bytes(content)
        # bytes that follow the end of the data may be nobody's
        flipped = set(self.label.split(", ")) <= {"bits flipped", "bytes set", "piece zeroed"}
        self.strict = self.format.checked and flipped

    def run(self) -> judge.Verdict:
        """Read it, reconstruct it where that is asked, and look at what is left."""
        data, given = self._place.folder, self._place.given
        before = files_in(data)
        stored = sum(len(content) for content in before.values())
        names = [given.name, *(Path(name).name for name in before), *(Path(word).name for word in self._place.options)]
        names = [name for name in names if name]
        seen = self.read()
        verdict = judge.of_command(seen, self.format, self._expected, self.good.fingerprint, stored, names)
        if verdict[0] == judge.OTHER and self.strict:
            verdict = judge.WRONG, "a flipped byte passed the checksums as other data"
        if verdict[0] in judge.BAD:
            return verdict
        left = self._left(before, seen.code)
        if left:
            return judge.HALF, left
        if self.format.job is not None and self.case.number % _JOB_EVERY == 0 and stored < _LARGEST_JOB_BYTES:
            return self._job(names, before, accepted=seen.code == 0) or verdict
        return verdict

    def read(self) -> Seen:
        """Let it be read."""
        return self._observed(lambda: self.format.run(self._place))

    def _job(self, names: list[str], before: dict[str, bytes], accepted: bool) -> judge.Verdict | None:
        folder, result = self.base / "job", self.base / "out.npz"
        folder.mkdir()
        entries = {"inputs": [str(self._place.given)], "device": "cpu", "output": str(result), **self.format.job}
        try:
            text = json.dumps(entries)
            (folder / "job.json").write_text(text, encoding="utf-8")
        except UnicodeEncodeError:
            # a name that is no text cannot stand in a job file
            return None
        seen = self._observed(lambda: ["recon", "--job", str(folder), "--events"])
        verdict = judge.of_job(seen, result, accepted, names)
        if verdict is not None:
            return verdict
        allowed = _JOB_FILES | (_RESULT_FILES if seen.code == 0 else set())
        found = {path.name for path in folder.iterdir()} - allowed
        if found or (seen.code != 0 and result.exists()):
            return judge.HALF, f"recon left {sorted(found) or result.name}"
        left = self._left(before, seen.code)
        return (judge.HALF, left) if left else None

    def _observed(self, work: Any) -> Seen:
        return observed(self._watch, self.base, self.base / "talk", work)

    def _left(self, before: dict[str, bytes], code: int) -> str:
        left = [path.name for path in (self.base / "tmp").iterdir()]
        if left:
            return f"temporary files are left: {left[:3]}"
        after = files_in(self._place.folder)
        if self.format.runs_job:
            new = {Path(name).name for name in after.keys() - before.keys()}
            allowed = _JOB_FILES | (_RESULT_FILES | {"out.npz"} if code == 0 else set())
            if new - allowed:
                return f"the job left {sorted(new - allowed)}"
            own = _JOB_FILES | _RESULT_FILES
            before, after = ({k: v for k, v in one.items() if Path(k).name not in own} for one in (before, after))
            after = {name: content for name, content in after.items() if name in before}
        return "" if after == before else f"the input changed: {sorted(set(after) ^ set(before))[:3] or 'its bytes'}"

    def clean(self) -> None:
        """Delete everything."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self.base)
