"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from DynamicMRIReconLib.errors import InputError, ResourceError


@contextmanager
def atomic_files(targets: Sequence[Path], suffixes: Sequence[str]) -> Iterator[list[Path]]:
    """Give temporary paths beside ``targets`` to write to; on leaving they take the targets' places, all or none.

    Each temporary name ends in the matching one of ``suffixes``, because writers look at it, and the names of one call
    share their stem. Nothing is left behind when the body raises; files that were there before stay as they were.

    Raises
    ------
    InputError
        The folder does not exist or may not be written, or a target is a folder.
    ResourceError
        The disk is full.
    """
    # A link is written through, not replaced.
    finals = [Path(os.path.realpath(target)) for target in targets]
    for target, final in zip(targets, finals, strict=True):
        if not final.parent.is_dir():
            raise InputError(f"The output folder {target.parent} does not exist: create it first, or name another.")
        if final.is_dir():
            raise InputError(f"{target} is a folder that exists already: name a file in it, or a new one.")
    # The process number lets whoever watches a worker tidy up after one that was killed (jobs.files).
    tag = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    temporaries = [final.parent / f".tmp-{tag}{suffix}" for final, suffix in zip(finals, suffixes, strict=True)]
    try:
        yield temporaries
        for temporary, target in zip(temporaries, targets, strict=True):
            if not temporary.exists():
                raise RuntimeError(f"the writer of {target.name} left no file")
        _take_places(temporaries, finals, tag)
    except OSError as error:
        raise _in_words(error, targets[0]) from error
    finally:
        for temporary in temporaries:
            _remove(temporary)


def _take_places(temporaries: Sequence[Path], finals: Sequence[Path], tag: str) -> None:
    for temporary, final in zip(temporaries, finals, strict=True):
        if final.exists() and temporary.is_file():
            shutil.copymode(final, temporary)
    if len(finals) == 1:
        os.replace(temporaries[0], finals[0])  # noqa: PTH105  one atomic system call
        return
    kept = [(final, final.parent / f".old-{tag}-{final.name}") for final in finals if final.exists()]
    placed: list[Path] = []
    moved: list[tuple[Path, Path]] = []
    try:
        for final, old in kept:
            final.rename(old)
            moved.append((final, old))
        for temporary, final in zip(temporaries, finals, strict=True):
            temporary.rename(final)
            placed.append(final)
    except BaseException:
        for final in placed:
            _remove(final)
        for final, old in moved:
            old.rename(final)
        raise
    for _, old in moved:
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(FileNotFoundError):
        path.unlink()


def _in_words(error: OSError, target: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(f"{target} was not written: the disk is full.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(f"{target} cannot be written: no permission to write in {target.parent}.")
    return ResourceError(f"{target} could not be written: {error.strerror or error}.")
