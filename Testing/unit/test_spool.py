"""Arrays in files: as arrays in memory, gone with their last view, and a sentence where there is no room."""

from __future__ import annotations

import errno
import gc
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ResourceError

RANDOM = np.random.default_rng(0).standard_normal((40, 3, 5, 7)).astype(np.float32)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BLOCK_BYTES", 3 * RANDOM[0].nbytes)


def test_above_the_threshold_arrays_lie_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not spool.is_spooled(spool.empty((4, 4), np.float32))
    with spool.spooled_above(63):
        assert spool.is_spooled(spool.empty((4, 4), np.float32))
        assert not spool.is_spooled(spool.empty((3, 4), np.float32))
    monkeypatch.setenv(spool.ENVIRONMENT_VARIABLE, "0.0001")
    array = spool.zeros((30, 4), np.float64)
    view = array[3:].T[1:]
    assert spool.is_spooled(view)
    assert spool.resident_bytes(view) == 0
    assert spool.resident_bytes(RANDOM) == RANDOM.nbytes
    assert not array.any()
    monkeypatch.setenv(spool.ENVIRONMENT_VARIABLE, "much")
    assert not spool.is_spooled(spool.zeros((30, 4), np.float64))


def test_what_is_written_stays_when_memory_is_given_back() -> None:
    with spool.spooled_above(0):
        array = spool.mapped(lambda block: block, RANDOM, np.float32)
    spool.trim()
    np.testing.assert_array_equal(array, RANDOM)


def test_nothing_has_a_name_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    with spool.spooled_above(0):
        array = spool.empty((100, 100), np.float32)
    assert list(tmp_path.iterdir()) == []
    view = array[5:]
    del array
    view[:] = 1
    assert view.all()
    del view
    gc.collect()
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.usefixtures("small_blocks")
def test_blocks_are_the_whole() -> None:
    parts = list(spool.blocks(RANDOM))
    assert [part.start for part in parts] == list(range(0, 40, 3))
    assert parts[-1].stop == 40
    swapped = RANDOM.transpose(0, 3, 2, 1)
    np.testing.assert_array_equal(spool.contiguous(swapped), swapped)
    assert spool.contiguous(swapped).flags.c_contiguous
    assert spool.contiguous(RANDOM) is RANDOM
    assert spool.peak(RANDOM) == np.abs(RANDOM).max()
    np.testing.assert_allclose(spool.total(RANDOM), RANDOM.sum(axis=0), rtol=1e-5, atol=1e-6)
    doubled = spool.mapped(lambda block: block.sum(axis=1) * 2.0, RANDOM, np.float64)
    np.testing.assert_allclose(doubled, RANDOM.sum(axis=1) * 2.0)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("percent", [0.0, 0.5, 49.0, 50.0, 99.0, 99.9, 100.0])
def test_percentile(percent: float) -> None:
    assert spool.percentile(RANDOM, percent) == pytest.approx(np.percentile(RANDOM, percent), rel=1e-6)


@pytest.mark.usefixtures("small_blocks")
def test_filling_stops_with_the_file() -> None:
    array = np.zeros((10, 3, 5, 7), np.float32)
    data = RANDOM[:10].tobytes()
    assert spool.fill(io.BytesIO(data), array) == array.nbytes
    np.testing.assert_array_equal(array, RANDOM[:10])
    assert spool.fill(io.BytesIO(data[:-5]), array) == array.nbytes - 5


@pytest.mark.usefixtures("small_blocks")
def test_checks_see_every_block() -> None:
    for frame in (0, 20, 39):
        bad = RANDOM.copy()
        bad[frame, 1, 2, 3] = np.inf
        with pytest.raises(InputError, match="holds 1 values that are not finite"):
            ImageSeries(bad, np.eye(4), np.arange(40))
        with pytest.raises(InputError, match="too large for single precision"):
            ImageSeries(np.where(np.isinf(bad), 1e300, bad.astype(float)), np.eye(4), np.arange(40))


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spool, "_reserve", full)
    with spool.spooled_above(0), pytest.raises(ResourceError, match=r"temporary file of .*TMPDIR"):
        spool.empty((4, 4), np.float32)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process holds")
def test_memory_is_that_of_a_block() -> None:
    """A walk over 200 MiB holds less than a quarter of it."""
    program = """
import numpy as np
from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries

def held():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

with spool.spooled_above(0):
    before = held()
    array = spool.empty((3200, 1, 128, 128), np.float32)
    for part in spool.blocks(array):
        array[part] = 1.0
    series = ImageSeries(array, np.eye(4), np.arange(3200.0))
    assert spool.is_spooled(series.array)
    assert held() - before < 50 * 1024, held() - before
"""
    subprocess.run([sys.executable, "-c", program], check=True)
