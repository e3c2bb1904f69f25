"""Small k-space files and a way to call the command line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries, KSpace

SHAPE = (1, 16, 20)


@dataclass
class Outcome:
    """What a call of the command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def cartesian(frames: int = 3, coils: int = 2, shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> KSpace:
    """Fully sampled k-space of random images under smooth coil maps."""
    random = np.random.default_rng(seed)
    images = random.random((frames, 1, *shape)).astype(np.complex64)
    phase = np.linspace(0, 1, shape[2])[None, :] * np.arange(1, coils + 1)[:, None]
    maps = np.broadcast_to((np.exp(1j * phase) / np.sqrt(coils))[:, None, None, :], (coils, *shape))
    shifted = np.fft.ifftshift(images * maps, axes=(-2, -1))
    samples = np.fft.fftshift(np.fft.fft2(shifted, norm="ortho"), axes=(-2, -1))
    times = 0.05 * np.arange(frames)
    return KSpace(samples.astype(np.complex64), np.eye(4), times, coil_maps=maps.astype(np.complex64))


@pytest.fixture
def kspace_file(tmp_path: Path) -> Path:
    """Three frames, two coils, with coil maps."""
    return io.write(tmp_path / "scan.npz", cartesian())


@pytest.fixture
def series_file(tmp_path: Path) -> Path:
    """A blob that moves, six frames."""
    y, x = np.mgrid[:24, :32]
    frames = [np.exp(-((x - 12 - t) ** 2 + (y - 12) ** 2) / 20) for t in range(6)]
    array = np.array(frames, np.float32)[:, None]
    return io.write(tmp_path / "cine.seq.nrrd", ImageSeries(array, np.eye(4), 0.04 * np.arange(6)))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def unchanged(tmp_path: Path) -> Callable[[], bool]:
    """Says whether the test's folder is still as it was at the first question."""
    first: list[dict[str, str]] = []

    def ask() -> bool:
        now = digests(tmp_path)
        if not first:
            first.append(now)
        return now == first[0]

    return ask
