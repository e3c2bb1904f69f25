"""Where the heart is, by what beats and by the published rule; the published end systole."""

import numpy as np
import pytest
from beating import heart

from DynamicMRIReconLib.cardiac.events import published_end_systole
from DynamicMRIReconLib.cardiac.region import heart_box, published_box
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.phantoms.heart import HeartScene


@pytest.mark.parametrize("rule", [heart_box, published_box])
@pytest.mark.parametrize("seed", [0, 3])
def test_the_box_holds_the_left_ventricle_and_not_the_chest(rule, seed):
    series = heart(seed)
    x0, y0, x1, y1 = rule(series.array)
    scene = HeartScene(seed)
    endo = np.array([scene.plane.to_ras(point) for point in scene.lv_contours_mm(0.0)[0]])
    inside = series.geometry.to_ijk(endo)
    assert (inside[:, 0] > x0 - 1).all()
    assert (inside[:, 0] < x1 + 1).all()
    assert (inside[:, 1] > y0 - 1).all()
    assert (inside[:, 1] < y1 + 1).all()
    assert (x1 - x0) * (y1 - y0) < 0.35 * 96 * 96


def test_several_beats_give_the_same_box():
    one, three = heart(1, 20).array, heart(1, 60, 3).array
    assert np.abs(np.subtract(heart_box(one), heart_box(three, 20.0))).max() <= 1


def test_published_box_on_a_square_that_appears():
    array = np.zeros((8, 2, 60, 64), np.float32)
    array[4:, 0, 20:40, 24:34] = 1
    x0, y0, x1, y1 = published_box(array)
    # centre 29.5, 24.. of rows trimmed by 5 % at either end; half sides of 2.5 standard deviations
    rows = np.repeat(np.arange(20, 40), 10)[10:-10]
    assert y0 == pytest.approx(rows.mean() - 2.5 * rows.std(), abs=2.5)
    assert y1 == pytest.approx(rows.mean() + 2.5 * rows.std(), abs=2.5)
    assert x0 == pytest.approx(28.5 - 2.5 * 2.87, abs=2.5)
    assert x1 == pytest.approx(28.5 + 2.5 * 2.87, abs=2.5)


def test_nothing_beats():
    still = np.ones((6, 1, 20, 20), np.float32)
    for rule in (heart_box, published_box):
        with pytest.raises(InputError, match="the heart cannot be found"):
            rule(still)


def test_published_end_systole_and_its_quirk():
    """What vanishes counts as much as what appears, unless parity is asked for."""
    array = np.zeros((20, 1, 40, 40), np.float32)
    array[:, 0, 8:32, 8:24] = 1
    array[7, 0, 8:32, 8:16] = 0  # much vanishes
    array[11, 0, 8:14, 24:32] = 1  # a little appears
    box = (0, 0, 40, 40)
    assert published_end_systole(array, box) == 7
    assert published_end_systole(array, box, parity=True) == 11
    series = heart()
    assert published_end_systole(series.array, published_box(series.array)) in (7, 8)
