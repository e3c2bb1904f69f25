"""Windows of frames: all frames, enough overlap, shares that add up to one, no seams."""

import itertools

import numpy as np
import pytest

from DynamicMRIReconLib.methods.common.time_windows import in_time_windows, shares, windows


@pytest.mark.parametrize(
    ("frames", "window", "overlap"), [(24, 24, 8), (25, 24, 8), (100, 24, 8), (9, 4, 3), (7, 2, 1)]
)
def test_windows_cover_all_frames_and_overlap_enough(frames, window, overlap):
    parts = windows(frames, window, overlap)
    assert parts[0].start == 0
    assert parts[-1].stop == frames
    assert all(part.stop - part.start == window for part in parts)
    assert all(before.stop - after.start >= overlap for before, after in itertools.pairwise(parts))
    total = np.zeros(frames)
    for part, share in zip(parts, shares(parts, frames), strict=True):
        assert (share > 0).all()
        total[part] += share
    np.testing.assert_allclose(total, 1, rtol=1e-6)


def test_a_short_series_is_one_window():
    assert windows(5, 24, 8) == [slice(0, 5)]
    np.testing.assert_array_equal(shares([slice(0, 5)], 5)[0], np.ones(5))


def test_windows_that_disagree_fade_without_a_step():
    """Each window says its own number: the sum never jumps by more than the fade of the overlap allows."""
    numbers = iter(range(100))
    reports = []

    def work(part, step):
        step(1.0, "one")
        return np.full((part.stop - part.start, 2), float(next(numbers)))

    out = in_time_windows(np.zeros((60, 2)), 20, 9, work, lambda fraction, _: reports.append(fraction))
    steps = np.diff(out[:, 0])
    assert out[0, 0] == 0
    assert out[-1, 0] == next(numbers) - 1
    assert (steps >= -1e-6).all()
    # where three windows meet, two of them fade
    assert steps.max() <= 2 / 9
    assert reports[-1] == 1
    assert reports == sorted(reports)
