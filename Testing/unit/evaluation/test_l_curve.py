"""The corner of L-curves whose corner is known, and the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation import l_curve


def bend(at: int, count: int = 9) -> tuple[list[float], list[float]]:
    """Down steeply, then to the right: the corner is the point ``at``."""
    steps = np.arange(count)
    misfits = np.exp(0.05 * np.minimum(steps, at) + 1.0 * np.maximum(steps - at, 0))
    penalties = np.exp(-1.0 * np.minimum(steps, at) - 0.05 * np.maximum(steps - at, 0))
    return list(misfits), list(penalties)


@pytest.mark.parametrize("at", [1, 3, 4, 6, 7])
def test_the_corner_of_two_straight_legs(at: int) -> None:
    misfits, penalties = bend(at)
    assert l_curve.corner(misfits, penalties) == at
    count = len(misfits)
    assert l_curve.corner(misfits[::-1], penalties[::-1]) == count - 1 - at, "from either end"


def test_units_do_not_matter() -> None:
    misfits, penalties = bend(4)
    assert l_curve.corner([1e6 * m for m in misfits], [1e-9 * p for p in penalties]) == 4


def test_tikhonov_on_a_problem_with_a_known_noise_level() -> None:
    rng = np.random.default_rng(0)
    singular = 10.0 ** -np.linspace(0, 5, 40)
    truth = singular**0.5 + 0.1
    noise = 1e-3
    data = singular * truth + noise * rng.standard_normal(40)
    weights = 10.0 ** np.linspace(-7, 0.5, 31)
    images = [singular * data / (singular**2 + weight**2) for weight in weights]
    misfits = [float(np.linalg.norm(singular * x - data)) for x in images]
    found = l_curve.corner(misfits, [float(np.linalg.norm(x)) for x in images])
    assert found is not None
    errors = [float(np.linalg.norm(x - truth)) for x in images]
    assert errors[found] < 1.5 * min(errors)
    assert 0.3 * noise < weights[found] < 30 * noise


def test_a_straight_or_an_outward_curve_has_no_corner() -> None:
    t = np.linspace(0, 1, 8)
    assert l_curve.corner(list(np.exp(t)), list(np.exp(-t))) is None
    assert l_curve.corner(list(np.exp(np.sin(t * np.pi / 2))), list(np.exp(np.cos(t * np.pi / 2)))) is None
    assert l_curve.corner([1, 2, 0.0], [3, 2, 1]) is None
    assert l_curve.corner([1, 2], [2, 1]) is None


def test_the_nearest_point_to_the_lower_left() -> None:
    misfits, penalties = bend(4)
    assert l_curve.nearest_to_origin(misfits, penalties) == 4


def test_points_on_top_of_each_other_are_no_corner() -> None:
    misfits, penalties = bend(4)
    crowd = [misfits[0] * (1 + 1e-4 * i) for i in (0, 2, 1)]
    assert l_curve.corner([*crowd, *misfits[1:]], [penalties[0]] * 3 + penalties[1:]) == 6


def test_the_picture_is_whole_or_not_there(tmp_path: Path) -> None:
    misfits, penalties = bend(4)
    labels = [str(i) for i in range(9)]
    path = l_curve.write_l_curve_png(misfits, penalties, labels, 4, tmp_path / "l.png", "title", "chosen")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError):
        l_curve.write_l_curve_png(misfits, penalties, labels, 4, tmp_path / "none" / "l.png", "title", "chosen")
    assert [p.name for p in tmp_path.iterdir()] == ["l.png"]
