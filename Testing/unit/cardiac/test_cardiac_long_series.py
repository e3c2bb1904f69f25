"""Phase of long series: the numbers of all pairs of frames without all pairs, and the same whatever the block."""

import tracemalloc

import numpy as np
import pytest
from beating import heart

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.cardiac import beats
from DynamicMRIReconLib.cardiac.phase import find_phase
from DynamicMRIReconLib.cardiac.region import heart_box
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.evaluation.regions import moving_box, moving_region


@pytest.mark.parametrize("block_bytes", [1, 4_000, 2**24])
def test_differences_are_those_of_all_pairs(monkeypatch, block_bytes):
    monkeypatch.setattr(spool, "BLOCK_BYTES", block_bytes)
    random = np.random.default_rng(0)
    array = random.standard_normal((13, 2, 5, 6)).astype(np.float32) + 100
    region = random.random((2, 5, 6)) < 0.6
    values = array[:, region].astype(np.float64)
    pairs = ((values[:, None] - values[None]) ** 2).mean(axis=2)
    wanted = [np.diagonal(pairs, lag).mean() for lag in range(11)]
    np.testing.assert_allclose(beats._differences_by_lag(array, region), wanted, rtol=1e-9, atol=1e-9)
    steps, back = beats._steps(array, region)
    np.testing.assert_allclose(steps, np.diagonal(pairs, 1), rtol=1e-12)
    assert back == pytest.approx(pairs[-1, 0])


def test_blocks_change_nothing(monkeypatch):
    series = heart(beats=2.5, frames=40, size=32)

    def found():
        phase = find_phase(series)
        return [
            phase.ed_frame,
            phase.es_frame,
            phase.frames_per_beat,
            *phase.box,
            *phase.curve,
            *moving_box(series.array),
        ]

    whole, region = found(), moving_region(series.array)
    monkeypatch.setattr(spool, "BLOCK_BYTES", 3 * series.array[0].nbytes)
    np.testing.assert_allclose(found(), whole, rtol=1e-9)
    np.testing.assert_array_equal(moving_region(series.array), region)


def test_memory_is_not_that_of_all_pairs_of_frames():
    beat = heart(size=16).array
    frames = 4000
    series = ImageSeries(np.tile(beat, (frames // len(beat), 1, 1, 1)), np.eye(4), 0.04 * np.arange(frames))
    tracemalloc.start()
    try:
        phase = find_phase(series)
        heart_box(series.array, 20.0)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert phase.frames_per_beat == pytest.approx(20, rel=1e-4)
    # one number for each pair would be 128 MB
    assert most < 64e6
