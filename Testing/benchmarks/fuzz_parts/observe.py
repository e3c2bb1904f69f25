"""Run one command in this process and see everything that it does: what it prints, reads, runs and leaves."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from DynamicMRIReconLib import io
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.cli_common import one_line
from DynamicMRIReconLib.errors import ReconError

#: what no file may make the program do
_FORBIDDEN = (
    *("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "subprocess.Popen", "os.fork"),
    *("socket.connect", "socket.bind"),
)
_REMOVING = ("os.remove", "os.rename", "os.rmdir", "os.truncate", "os.chmod", "os.link", "os.symlink", "os.mkdir")


@dataclass
class Seen:
    """What a command did.

    ``data`` is what ``io.read`` gave last; ``crimes`` are things that no file may cause.
    """

    code: int
    out: str
    err: str
    data: Any = None
    crimes: list[str] = field(default_factory=list)


class Watch:
    """Hears of everything that Python audits; installed once, since an audit hook cannot be removed."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.crimes: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, values: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event in _FORBIDDEN:
            self.crimes.append(f"{event} {str(values)[:80]}")
        elif event == "open" and _writes(values) and self._outside(values[0]):
            self.crimes.append(f"wrote {values[0]}")
        elif event in _REMOVING and self._outside(_whole(values)):
            self.crimes.append(f"{event} {_whole(values)}")

    def _outside(self, path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike) or os.fspath(path) in (os.devnull, "."):
            return False
        return not os.path.realpath(os.fsdecode(path)).startswith(f"{self.folder}{os.sep}")


def _whole(values: tuple[Any, ...]) -> Any:
    """The path of a removal, which may be told below an open folder."""
    last = values[-1]
    if isinstance(last, int) and last >= 0 and isinstance(values[0], str) and not Path(values[0]).is_absolute():
        with contextlib.suppress(OSError):
            return Path(f"/proc/self/fd/{last}").readlink() / values[0]
    return values[0]


def _writes(values: tuple[Any, ...]) -> bool:
    mode, flags = values[1], values[2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


@contextmanager
def _to_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Standard output and error of this process, C libraries' too, go into two files."""
    names = folder / "stdout", folder / "stderr"
    kept = os.dup(1), os.dup(2)
    try:
        for number, name in enumerate(names, 1):
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(descriptor, number)
            os.close(descriptor)
        yield names
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, descriptor in enumerate(kept, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)


def observed(watch: Watch, folder: Path, talk: Path, work: Callable[[], list[str] | None]) -> Seen:
    """What comes of the command line whose words ``work`` gives, or of ``work`` itself when it gives none.

    ``folder`` is all that it may write to; its texts go to ``talk``.
    """
    found: list[Any] = []
    read = io.read

    def listening(*arguments: Any, **keywords: Any) -> Any:
        found.append(read(*arguments, **keywords))
        return found[-1]

    watch.crimes = []
    temporary = tempfile.tempdir
    tempfile.tempdir = str(folder / "tmp")
    io.read = listening
    try:
        with _to_files(talk) as (out, err):
            watch.folder = folder
            try:
                code = _called(work)
            finally:
                watch.folder = None
    finally:
        io.read = read
        tempfile.tempdir = temporary
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    return Seen(code, *texts, data=found[-1] if found else None, crimes=list(watch.crimes))


def _called(work: Callable[[], list[str] | None]) -> int:
    try:
        words = work()
        return 0 if words is None else main(words)
    except ReconError as error:
        # a reader without a command of its own: its error is told as the command line tells one
        os.write(2, f"dynamic-mri-recon: {one_line(str(error))}\n".encode(errors="replace"))
        return error.exit_code
    except Exception as error:
        os.write(2, f"Traceback: {type(error).__name__}: {error}\n".encode(errors="replace"))
        return 1
