"""Small scans, manifests of them, and a ledger of the files that any process of a batch puts in their places."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import KSpace

#: loaded by every Python process that has its folder on PYTHONPATH
_LEDGER = """
import os, sys
def _note(event, arguments):
    if event == "os.rename":
        with open({path!r}, "a") as file:
            file.write(str(arguments[1]) + chr(10))
sys.addaudithook(_note)
"""


def scan(path: Path, seed: int, frames: int = 3, size: int = 24) -> Path:
    """Half-sampled Cartesian k-space of random images, with coil maps."""
    random = np.random.default_rng(seed)
    shape = (frames, 2, 1, size, size)
    samples = (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(np.complex64)
    mask = np.broadcast_to(random.random((frames, 1, size, 1)) < 0.5, (frames, 1, size, size)).copy()
    mask[:, :, size // 2] = True
    maps = np.full((2, 1, size, size), np.sqrt(0.5), np.complex64)
    kspace = KSpace(samples * mask[:, None], np.eye(4), 0.05 * np.arange(frames), mask=mask, coil_maps=maps)
    return io.write(path, kspace)


def manifest(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write a manifest."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def with_ledger(folder: Path) -> tuple[dict[str, str], Path]:
    """An environment in which every Python process notes each file that it renames, and where."""
    place = folder / "ledger"
    place.mkdir()
    (place / "sitecustomize.py").write_text(_LEDGER.format(path=str(place / "files.txt")), encoding="utf-8")
    ours = str(Path(__file__).resolve().parents[3])
    paths = os.pathsep.join([str(place), ours])
    single = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **single, "PYTHONPATH": paths}, place / "files.txt"
