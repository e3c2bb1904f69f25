"""Separable grids against numpy's interpolation, and images that move where they are told to."""

import numpy as np
import pytest
import torch

from DynamicMRIReconLib.networks.motion_field import MotionField, warp
from DynamicMRIReconLib.networks.separable_grid import SeparableGrid


def places(size: int, nodes: int) -> np.ndarray:
    """Where the voxels lie between the nodes."""
    return np.arange(size) if nodes == size else (np.arange(size) + 0.5) / size * (nodes - 1)


@pytest.mark.parametrize("levels", [[(3, 5, 7)], [(2, 3, 2), (3, 5, 7)], [(1, 2, 4), (1, 1, 1)]])
def test_separable_grid_equals_linear_interpolation_axis_by_axis(levels):
    torch.manual_seed(0)
    shape = (3, 5, 7)
    grid = SeparableGrid(2, levels, shape)
    expected = np.zeros((2, *shape))
    for level, nodes in zip(grid.levels, levels, strict=True):
        torch.nn.init.normal_(level)
        values = level.detach().numpy()
        for axis, (size, count) in enumerate(zip(shape, nodes, strict=True), start=1):
            at = places(size, count)
            values = np.apply_along_axis(lambda v, at=at, count=count: np.interp(at, np.arange(count), v), axis, values)
        expected += values
    np.testing.assert_allclose(grid(torch.arange(3.0)).detach().numpy(), expected, atol=1e-5)


def test_separable_grid_between_and_beyond_the_frames():
    grid = SeparableGrid(1, [(4, 1, 1)], (4, 1, 1))
    with torch.no_grad():
        grid.levels[0][0, :, 0, 0] = torch.tensor([1.0, 2.0, 4.0, 8.0])
    found = grid(torch.tensor([0.5, 2.25, -3.0, 9.0])).flatten().tolist()
    assert found == pytest.approx([1.5, 5.0, 1.0, 8.0])


def test_grids_without_nodes_are_refused():
    with pytest.raises(ValueError, match="at least one node"):
        SeparableGrid(1, [(0, 2, 2)], (2, 2, 2))


def test_without_displacement_the_image_stays():
    image = torch.randn(2, 5, 8)
    moved = warp(image, torch.zeros(2, 3, 5, 8))
    assert torch.allclose(moved, image[:, None].expand(2, 3, 5, 8), atol=1e-5)


def test_displacement_is_in_voxels_x_first():
    image = torch.randn(1, 6, 9)
    displacement = torch.zeros(2, 1, 6, 9)
    displacement[0], displacement[1] = 2.0, -1.0
    moved = warp(image, displacement)[0, 0]
    assert torch.allclose(moved[1:, :-2], image[0, :-1, 2:], atol=1e-5)
    # outside the image the nearest voxel holds
    assert torch.allclose(moved[0, -1], image[0, 0, -1], atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 5), (5, 16, 9), (4, 33, 40)])
def test_a_field_of_any_size_holds_any_image(shape):
    field = MotionField(shape)
    image = torch.randn(shape[1:], dtype=torch.complex64)
    field.start_from(image)
    with torch.no_grad():
        series = field(torch.arange(float(shape[0])))
    assert series.shape == (shape[0], 1, *shape[1:])
    assert torch.allclose(series, image.expand(series.shape), atol=1e-5)


def test_between_frames_an_edge_moves_and_does_not_fade_over():
    field = MotionField((2, 4, 16))
    image = torch.zeros(4, 16, dtype=torch.complex64)
    image[:, 8:] = 1
    field.start_from(image)
    with torch.no_grad():
        for level, nodes in zip(field.displacement.levels, field.displacement.nodes, strict=True):
            if nodes[0] == 2:
                level[0, 1] = -4.0 / len(field.displacement.levels)
    with torch.no_grad():
        half = field(torch.tensor([0.5]))[0, 0].real
    edge = [(row > 0.5).nonzero()[0].item() for row in half]
    assert edge == [10] * 4
    assert ((half > 0.05) & (half < 0.95)).sum() <= 4
