"""One worker at a time in a job folder. Standard library only.

The lock is the operating system's, so that it ends with its process however that ends; the file is only its name.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files

#: what every refusal because of another run says
BUSY = "is being run by another process"

# Record locks do not keep one process from locking twice.
_held_here: set[str] = set()


class FolderLock:
    """Holds the lock of a job folder for the length of a ``with`` block.

    Raises
    ------
    InputError
        The folder does not exist, may not be written, or another run holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / files.LOCK
        self._key = os.path.realpath(folder)
        self._descriptor = -1

    def __enter__(self) -> FolderLock:
        folder = self._path.parent
        busy = InputError(f"The job in {folder} {BUSY}: wait for its end, or cancel it.")
        if self._key in _held_here:
            raise busy
        try:
            while not self._take():
                pass
        except BlockingIOError:
            raise busy from None
        except OSError as error:
            raise InputError(f"The job folder {folder} cannot be used: {error.strerror or error}.") from error
        _held_here.add(self._key)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _held_here.discard(self._key)
        with suppress(OSError):
            files.remove(self._path)
        os.close(self._descriptor)
        # Windows deletes no open file.
        with suppress(OSError):
            if sys.platform == "win32":
                files.remove(self._path)

    def _take(self) -> bool:
        """Lock the file; False when its last holder deleted it meanwhile, so that the lock would mean nothing."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            _lock(descriptor)
            if not _same_file(descriptor, self._path):
                os.close(descriptor)
                return False
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True


def is_running(folder: Path) -> bool:
    """True while a worker holds the folder."""
    if not (folder / files.LOCK).exists():
        return False
    try:
        with FolderLock(folder):
            return False
    except InputError as error:
        return BUSY in str(error)


def _lock(descriptor: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # Not flock: children that a worker forks would keep that alive after its death.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except PermissionError as error:
        raise BlockingIOError(*error.args) from error


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return sys.platform == "win32" or os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
