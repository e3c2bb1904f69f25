"""The state of a running job in its folder, so that a run whose worker was killed goes on instead of starting anew.

Rules
-----
* ``state/`` holds one ``.npz`` file for each finished part of the run and each loop: arrays of numbers and a JSON text,
  nothing that could be run on loading, with the checksums of the zip format.
* It is written when the run has lasted a minute, and then once a minute (less often where writing takes long), each
  file as a whole or not at all. A disk that is full costs the state, not the run: it makes room for the result.
* It belongs to one fingerprint, device and set of versions. Anything else, and a file that is damaged, is told and
  removed, and the run starts anew. So it is after a failure of the program that a state may have led to.
* It is removed when the job is done, and stays after failures, kills and cancelling.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.provenance import versions
from DynamicMRIReconLib.jobs.reporting import Reporter
from DynamicMRIReconLib.json_text import parsed_json
from DynamicMRIReconLib.methods.kept import Arrays, Keeper

logger = logging.getLogger(__name__)

FORMAT = "dynamic-mri-recon state 1"
#: seconds between two writings; a run that is shorter leaves nothing. The environment variable sets another number.
KEEP_EVERY_S = 60.0
KEEP_EVERY_VARIABLE = "DYNAMIC_MRI_RECON_KEEP_EVERY_S"
#: writing may take this share of the time, unless it would be that many times rarer
_SHARE, _RAREST = 0.05, 10
_NOTES = "notes"


class SavedState(Keeper):
    """Keeps the state of the run of a job in ``folder``, and finds what an earlier run of it has kept.

    Parameters
    ----------
    folder
        The job folder.
    identity
        Of the run, see ``identity_of``.
    reporter
        Is told where the run goes on, and what cannot be kept.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self, folder: Path, identity: str, reporter: Reporter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        #: where runs were ended and the next went on: ``from``, ``kept_at``, ``after_s``; the latest is the last
        self.resumed: list[dict[str, Any]] = []
        self._folder, self._identity, self._reporter, self._clock = folder, identity, reporter, clock
        self._every_s = _every_s()
        self._started = self._written = clock()
        self._wait_s = self._every_s
        self._before_s, self._number, self._complained = 0.0, 0, False
        self._known: dict[str, Path] = {}
        self._pending: dict[str, Arrays] = {}
        self._find()

    def found(self, key: str) -> Arrays | None:
        """What an earlier run kept under ``key``."""
        path = self._known.get(key)
        if path is None:
            return None
        try:
            return _read(path)[1]
        except InputError:
            # it was whole when the run began
            self._reporter.note("A part of what an earlier run kept is damaged: doing it again.")
            return None

    def finish(self, key: str, arrays: Arrays) -> None:
        """A part is done; what was kept below its key goes."""
        self._drop(f"{key}/")
        self._pending[key] = arrays
        if self._due():
            self._write(key, key, None)

    def keep(self, key: str, at: str, arrays: Callable[[], Arrays]) -> None:
        """A loop has come as far as ``at``."""
        if self._due():
            self._write(key, f"{key.rpartition('/')[0]}/{at}", arrays)

    def release(self, key: str) -> None:
        """Hold no arrays below ``key`` in memory any longer."""
        self._pending = {name: arrays for name, arrays in self._pending.items() if not name.startswith(key)}

    def _due(self) -> bool:
        return self._clock() - self._written >= self._wait_s

    def _write(self, key: str, at: str, arrays: Callable[[], Arrays] | None) -> None:
        """Everything that is pending, and the state of the loop ``key``."""
        began = self._clock()
        try:
            (self._folder / files.STATE).mkdir(exist_ok=True)
            for name in list(self._pending):
                self._write_one(name, name, self._pending[name])
                del self._pending[name]
            if arrays is not None:
                self._write_one(key, at, arrays())
        except (OSError, MemoryError) as error:
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                # the result needs the room more
                files.remove_state(self._folder)
                self._known.clear()
            if not self._complained:
                reason = getattr(error, "strerror", None) or "out of memory"
                self._reporter.note(
                    f"The state of the run cannot be kept ({reason}): ended now, it would lose what is done."
                )
            self._complained = True
        self._written = self._clock()
        self._wait_s = max(self._every_s, min(_RAREST * self._every_s, (self._written - began) / _SHARE))

    def _write_one(self, key: str, at: str, arrays: Arrays) -> None:
        path = self._folder / files.STATE / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"
        self._number += 1
        notes = {
            "format": FORMAT,
            "identity": self._identity,
            "key": key,
            "number": self._number,
            "at": _in_words(at),
            "kept_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "after_s": round(self._before_s + self._clock() - self._started, 1),
            "resumed": self.resumed,
            "warnings": self._reporter.warnings,
        }
        content: dict[str, Any] = {f"array {name}": array for name, array in arrays.items()}
        content[_NOTES] = np.frombuffer(json.dumps(notes).encode(), np.uint8)
        temporary = self._folder / f"{files.temporary_prefix(os.getpid())}state.npz"
        try:
            with temporary.open("wb") as file:
                np.savez(file, **content)
                file.flush()
                # it is for power failures too
                os.fsync(file.fileno())
            os.replace(temporary, path)  # noqa: PTH105  one atomic system call
        finally:
            files.remove(temporary)
        self._known[key] = path

    def _drop(self, prefix: str) -> None:
        self.release(prefix)
        for key in [key for key in self._known if key.startswith(prefix)]:
            with suppress(OSError):
                files.remove(self._known.pop(key))

    def _find(self) -> None:
        """Look for what an earlier run left, and tell what comes of it."""
        paths = sorted((self._folder / files.STATE).glob("*.npz"))
        try:
            notes = [_read(path)[0] for path in paths]
        except InputError:
            self._anew("is damaged")
            return
        if any(one["format"] != FORMAT or one["identity"] != self._identity for one in notes):
            self._anew("is of another input, other parameters, another device or other versions")
            return
        if not notes:
            files.remove_state(self._folder)
            return
        self._known = {one["key"]: path for one, path in zip(notes, paths, strict=True)}
        last = max(notes, key=lambda one: one["number"])
        self._number, self._before_s = last["number"], last["after_s"]
        entry = {"from": last["at"], "kept_at": last["kept_at"], "after_s": last["after_s"]}
        self.resumed = [*last["resumed"], entry]
        for sentence in last["warnings"]:
            self._reporter.warn(sentence)
        kept_at = datetime.fromisoformat(last["kept_at"]).astimezone()
        self._reporter.resumed(f"Going on from {last['at']}, kept at {kept_at:%H:%M}.")

    def _anew(self, why: str) -> None:
        files.remove_state(self._folder)
        self._reporter.note(f"What an earlier run kept {why}: starting anew.")


def identity_of(fingerprint: str, device: str) -> str:
    """What must be equal for one run to go on from where another was ended."""
    return hashlib.sha256(json.dumps([fingerprint, device, versions()], sort_keys=True).encode()).hexdigest()


def _every_s() -> float:
    try:
        return max(0.0, float(os.environ.get(KEEP_EVERY_VARIABLE, KEEP_EVERY_S)))
    except ValueError:
        return KEEP_EVERY_S


def _in_words(key: str) -> str:
    """A key as it is told: ``slice 2 of 5, iteration 3 of 12``."""
    return ", ".join(part for part in key.split("/") if part and not part[0].isdigit())


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Notes and arrays of a file.

    Raises
    ------
    InputError
        It is damaged or something else.
    """
    from DynamicMRIReconLib.io.numpy_files import load_npz

    arrays = load_npz(path)
    try:
        notes = parsed_json(arrays.pop(_NOTES).tobytes())
        kinds: dict[str, Any] = {"format": str, "identity": str, "key": str, "number": int, "at": str, "kept_at": str}
        kinds |= {"after_s": int | float, "resumed": list, "warnings": list}
        if not isinstance(notes, dict) or not all(isinstance(notes.get(name), kind) for name, kind in kinds.items()):
            raise ValueError("notes are missing")
        datetime.fromisoformat(notes["kept_at"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path.name} holds no state of a run.") from error
    return notes, {name.removeprefix("array "): array for name, array in arrays.items()}
