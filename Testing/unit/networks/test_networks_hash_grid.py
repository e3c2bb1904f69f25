"""The hash encoding against a slow one written from the paper, its size, its gradients, and what it refuses."""

import itertools
import math

import numpy as np
import pytest
import torch

from DynamicMRIReconLib.networks.hash_grid import PRIMES, HashGrid
from DynamicMRIReconLib.networks.st_inr import SpatioTemporalField


def slow(grid: HashGrid, point: np.ndarray, base: int, growth: float, table_size: int) -> np.ndarray:
    """One point through all levels, in Python's whole numbers."""
    found = []
    for level, table in enumerate(grid.tables):
        scale = base * growth**level - 1
        side = math.ceil(scale) + 1
        place = point * scale + 0.5
        value = np.zeros(grid.features)
        for corner in itertools.product((0, 1), repeat=len(point)):
            node = [math.floor(p) + c for p, c in zip(place, corner, strict=True)]
            weight = math.prod(
                (p - math.floor(p)) if c else 1 - (p - math.floor(p)) for p, c in zip(place, corner, strict=True)
            )
            if side ** len(point) <= table_size:
                index = sum(min(max(n, 0), side - 1) * side**axis for axis, n in enumerate(node))
            else:
                index = 0
                for n, prime in zip(node, PRIMES, strict=False):
                    index ^= (n * prime) % 2**32
                index %= table_size
            value += weight * table[index].detach().numpy()
        found.append(value)
    return np.concatenate(found)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_it_equals_a_slow_reference_on_dense_and_on_hashed_levels(dimensions):
    torch.manual_seed(dimensions)
    settings = {"base": 3, "growth": 1.7, "table_size": 83}
    grid = HashGrid(dimensions, levels=5, features=3, **settings).double()
    for table in grid.tables:
        torch.nn.init.normal_(table)
    assert any(grid.dense)
    assert dimensions == 1 or not all(grid.dense)
    points = torch.rand(20, dimensions, dtype=torch.float64)
    points[0], points[1] = 0.0, 1.0
    expected = np.stack([slow(grid, point, **settings) for point in points.numpy()])
    np.testing.assert_allclose(grid(points).detach().numpy(), expected, rtol=0, atol=1e-12)


def test_gradients_of_tables_and_points():
    torch.manual_seed(0)
    grid = HashGrid(3, levels=3, features=2, base=2, growth=1.8, table_size=20).double()
    for table in grid.tables:
        torch.nn.init.normal_(table)
    points = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    tables = [table.detach().clone().requires_grad_() for table in grid.tables]

    def encode(points, *tables):
        return torch.func.functional_call(grid, {f"tables.{i}": t for i, t in enumerate(tables)}, (points,))

    assert torch.autograd.gradcheck(encode, (points, *tables), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize(
    ("table_size", "growth", "entries"),
    [(2**24, 2.0, 407_445_504), (2**19, 2.0, 14_229_504), (2**19, 1.38, 12_196_240)],
)
def test_table_entries_of_the_published_settings(table_size, growth, entries):
    with torch.device("meta"):
        grid = HashGrid(3, levels=16, features=2, base=16, growth=growth, table_size=table_size)
    assert sum(table.numel() for table in grid.tables) == entries


@pytest.mark.parametrize(("width", "weights"), [(128, 69_888), (64, 18_560)])
def test_weights_of_the_network(width, weights):
    with torch.device("meta"):
        field = SpatioTemporalField((18, 208, 208), hidden_width=width)
    assert sum(p.numel() for p in field.network.parameters()) == weights


def test_levels_that_do_not_take_part_give_zeros():
    grid = HashGrid(2, levels=4, features=2, base=4, growth=2.0)
    points = torch.rand(7, 2)
    whole = grid(points)
    grid.active_levels = 2
    part = grid(points)
    assert torch.equal(part[:, :4], whole[:, :4])
    assert not part[:, 4:].any()
    assert part.shape == whole.shape == (7, grid.width)


@pytest.mark.parametrize(
    "settings", [{"dimensions": 0}, {"dimensions": 8}, {"dimensions": 2, "levels": 0}, {"dimensions": 2, "growth": 0.5}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match="hash grid"):
        HashGrid(**settings)


def test_points_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        HashGrid(3, levels=1)(torch.zeros(4, 2))


@pytest.mark.parametrize("sides", [(7,), (5, 3), (4, 6, 2), (2, 3, 2, 3)])
def test_a_lattice_has_the_features_and_the_gradient_of_its_points(sides):
    torch.manual_seed(len(sides))
    grid = HashGrid(len(sides), levels=5, features=3, base=3, growth=1.7, table_size=83).double()
    for table in grid.tables:
        torch.nn.init.normal_(table)
    assert len(sides) == 1 or not all(grid.dense)
    # borders, repeated and unordered places among them
    axes = [torch.rand(side, dtype=torch.float64) for side in sides]
    axes[0][:2] = torch.tensor([1.0, 0.0])
    axes[-1][-1] = axes[-1][0]
    places = torch.meshgrid(*reversed(axes), indexing="ij")
    points = torch.stack([place.flatten() for place in reversed(places)], dim=1)
    slope = torch.randn(*reversed(sides), grid.width, dtype=torch.float64)
    alone, together = grid(points).reshape(slope.shape), grid.lattice(axes)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)
    expected = torch.autograd.grad((alone * slope).sum(), list(grid.parameters()))
    found = torch.autograd.grad((together * slope).sum(), list(grid.parameters()))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_levels_that_do_not_take_part_give_zeros_on_a_lattice_too():
    grid = HashGrid(2, levels=4, features=2, base=4, growth=2.0)
    axes = (torch.rand(3), torch.rand(5))
    whole = grid.lattice(axes)
    grid.active_levels = 2
    part = grid.lattice(axes)
    assert torch.equal(part[..., :4], whole[..., :4])
    assert not part[..., 4:].any()
    assert part.shape == whole.shape == (5, 3, grid.width)


def test_a_lattice_of_other_dimensions_is_refused():
    with pytest.raises(ValueError, match="lattice of 2 axes"):
        HashGrid(3, levels=1).lattice((torch.zeros(4), torch.zeros(4)))


def test_voxels_and_frames_lie_at_the_middle_of_their_cells():
    x, y, t = SpatioTemporalField((3, 4, 8)).axes(torch.arange(3.0))
    assert (len(x), len(y), len(t)) == (8, 4, 3)
    np.testing.assert_allclose([x[5], y[2], t[1]], [5.5 / 8, 2.5 / 8, 1.5 / 8])


def test_an_image_is_the_network_at_its_voxels():
    torch.manual_seed(0)
    field = SpatioTemporalField((3, 4, 8), hidden_width=8, table_size=64, levels=3)
    for table in field.encoding.tables:
        torch.nn.init.normal_(table)
    image = field(torch.tensor([0.0, 1.5]))
    point = torch.tensor([[6.5 / 8, 2.5 / 8, 2.0 / 8]])
    expected = torch.view_as_complex(field.network(field.encoding(point)))[0]
    torch.testing.assert_close(image[1, 0, 2, 6], expected)


def test_any_size_and_fractional_frames_and_no_memory_of_the_call_before():
    torch.manual_seed(0)
    for shape in [(2, 1, 1), (3, 5, 7), (1, 6, 4)]:
        field = SpatioTemporalField(shape, hidden_width=8, table_size=64, levels=3)
        first = field(torch.tensor([0.0, 0.5]))
        assert first.shape == (2, 1, *shape[1:])
        assert first.is_complex()
        with torch.no_grad():
            assert torch.allclose(field(torch.tensor([0.0, 0.5])), first)
