"""Outputs appear whole or not at all, and what cannot be written is said before anything is."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError, ResourceError
from DynamicMRIReconLib.io import bart, npz
from DynamicMRIReconLib.io.atomic import atomic_files

DATA = KSpace(np.ones((1, 1, 1, 4, 4), np.complex64), np.eye(4), np.zeros(1))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none does not exist"):
        io.write(tmp_path / "none" / "out.npz", DATA)
    assert names(tmp_path) == []


def test_unknown_suffix_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.cfl.*\.h5.*\.npz"):
        io.write(tmp_path / "out.xyz", DATA)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="is a folder that exists already"):
        io.write(tmp_path / "folder.npz", DATA)


def test_the_temporary_file_has_the_full_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    real = npz.write
    monkeypatch.setattr(npz, "write", lambda path, data: (seen.append(path), real(path, data)))
    io.write(tmp_path / "OUT.NPZ", DATA)
    assert seen[0].name.endswith(".NPZ")
    assert seen[0].parent == tmp_path
    assert names(tmp_path) == ["OUT.NPZ"]


@pytest.mark.parametrize("name", ["out.npz", "out.cfl", "out.h5"])
def test_a_failing_writer_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = io.write(tmp_path / name, DATA)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    from DynamicMRIReconLib.io import ismrmrd_format

    def half(target: Path, data: object) -> None:
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    for module in (npz, bart, ismrmrd_format):
        monkeypatch.setattr(module, "write", half)
    with pytest.raises(KeyboardInterrupt):
        io.write(path, DATA)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: Path, data: object) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(npz, "write", full)
    with pytest.raises(ResourceError, match="disk is full"):
        io.write(tmp_path / "out.npz", DATA)
    assert names(tmp_path) == []


@pytest.mark.parametrize("there_before", [True, False])
def test_two_files_appear_together_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool) -> None:
    """The second rename fails: the pair stays as it was."""
    targets = [tmp_path / "a.cfl", tmp_path / "a.hdr"]
    if there_before:
        for target in targets:
            target.write_text("old")
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if Path(target).name == "a.hdr" and self.name.startswith(".tmp-"):
            raise OSError(errno.EIO, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)

    def write_both() -> None:
        with atomic_files(targets, [".cfl", ".hdr"]) as parts:
            for part in parts:
                part.write_text("new")

    with pytest.raises(ResourceError, match="could not be written"):
        write_both()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == (
        {"a.cfl": "old", "a.hdr": "old"} if there_before else {}
    )


def test_links_are_followed_and_modes_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.npz"
    real.write_bytes(b"")
    real.chmod(0o640)
    link = tmp_path / "link.npz"
    link.symlink_to(real)
    io.write(link, DATA)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert io.read(real).frames == 1


def test_what_a_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    for name in ("a.npz", "a.cfl", "a.h5"):
        with pytest.raises(InputError):
            io.write(tmp_path / name, [])
    assert names(tmp_path) == []
