"""Contours, coverage and textures that the phantoms are made of."""

import numpy as np
import pytest

from DynamicMRIReconLib.phantoms.shapes import Canvas, crossings_mm, ellipse, ribbon, smooth_closed, smooth_open
from DynamicMRIReconLib.phantoms.texture import RandomField

SQUARE = np.array([[-3.25, -2.5], [4.5, -2.5], [4.5, 1.75], [-3.25, 1.75]])


@pytest.mark.parametrize("clockwise", [False, True])
def test_coverage_of_a_rectangle_is_the_exact_area_of_each_pixel(clockwise):
    canvas = Canvas((16.0, 16.0), (16, 16))
    image = np.zeros((16, 16), np.float32)
    canvas.paint(image, SQUARE[::-1] if clockwise else SQUARE, 1.0)

    def overlap(axis_mm, low, high):
        return np.clip(np.minimum(axis_mm + 0.5, high) - np.maximum(axis_mm - 0.5, low), 0, 1)

    expected = overlap(canvas.y_mm, -2.5, 1.75)[:, None] * overlap(canvas.x_mm, -3.25, 4.5)[None, :]
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_coverage_sums_to_the_area_on_any_grid():
    contour = ellipse((1.3, -2.2), (20.0, 11.0), 33.0, points=400)
    for shape in ((40, 40), (64, 48), (101, 77)):
        canvas = Canvas((60.0, 60.0), shape)
        _, covered = canvas.cover(contour)
        assert covered.sum() * np.prod(canvas.pixel_mm) == pytest.approx(np.pi * 20 * 11, rel=1e-3)


def test_a_contour_beyond_the_edge_covers_what_is_inside():
    canvas = Canvas((10.0, 10.0), (10, 10))
    image = np.zeros((10, 10), np.float32)
    canvas.paint(image, ellipse((0, 0), (50, 50)), 1.0)
    np.testing.assert_allclose(image, 1.0, atol=1e-5)
    window, covered = canvas.cover(ellipse((100, 0), (5, 5)))
    assert covered.size == 0
    assert image[window].size == 0


def test_a_small_move_changes_coverage_by_as_little():
    canvas = Canvas((32.0, 32.0), (32, 32))
    shift = 1e-3

    def image_at(y_mm):
        image = np.zeros((32, 32), np.float32)
        canvas.paint(image, SQUARE * 2 + [0.0, y_mm], 1.0)
        return image

    changes = [np.abs(image_at(y + shift) - image_at(y)).max() for y in np.linspace(0, 1, 41)]
    assert max(changes) < 1.05 * shift + 1e-5
    assert min(changes) > 0.9 * shift


def test_crossings_of_a_line_with_a_circle():
    circle = ellipse((3.0, 0.0), (5.0, 5.0), points=720)
    np.testing.assert_allclose(crossings_mm(circle, (-10, 0), (20, 0)), [8.0, 18.0], atol=1e-3)
    assert crossings_mm(circle, (-10, 6), (20, 6)).size == 0


def test_splines_stay_inside_the_hull_and_open_ones_reach_their_ends():
    controls = np.array([[0, 0], [10, 0], [10, 1], [0, 8]], float)
    curve = smooth_closed(controls)
    assert (curve.min(axis=0) >= 0).all()
    assert (curve <= controls.max(axis=0)).all()
    open_curve = smooth_open(controls)
    np.testing.assert_allclose(open_curve[[0, -1]], controls[[0, -1]])
    assert np.linalg.norm(np.diff(open_curve, axis=0), axis=1).max() < 2.5


def test_a_ribbon_has_the_area_of_its_width():
    line = np.stack([np.linspace(-10, 10, 30), np.zeros(30)], axis=1)
    _, covered = Canvas((60.0, 60.0), (240, 240)).cover(ribbon(line, 4.0))
    assert 20 * 4 < covered.sum() / 16 < 24 * 4


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_field_is_the_same_on_every_grid_and_moves_with_its_tissue(dimensions):
    field = RandomField(np.random.default_rng(1), 8.0, dimensions=dimensions)
    still = (0.0, 0.0) if dimensions == 2 else (0.0, 0.0, -3.0)
    x = np.arange(40.0)
    whole = field.plane(x, x, still)
    np.testing.assert_allclose(field.plane(x[::2], x[5:9], still), whole[5:9, ::2], atol=1e-4)
    moved = field.plane(x, x, (2.0, 3.0, *still[2:]))
    np.testing.assert_allclose(moved[3:, 2:], whole[:-3, :-2], atol=1e-4)
    assert 0.6 < whole.std() < 1.4


def test_the_derivative_of_a_field():
    field = RandomField(np.random.default_rng(2), 10.0, dimensions=3)
    x, y, step = np.array([1.0, 4.0]), np.array([-2.0, 7.0, 8.0]), 0.02
    numeric = (field.plane(x, y, (-step, 0, 0)) - field.plane(x, y, (step, 0, 0))) / (2 * step)
    np.testing.assert_allclose(field.derivative(0).plane(x, y, (0, 0, 0)), numeric, atol=2e-3)
