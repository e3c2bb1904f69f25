"""The networks of IREM: size, shapes, that they learn."""

import pytest
import torch

from DynamicMRIReconLib.networks.feature_grid import FeatureGrid, FeatureGridNetwork
from DynamicMRIReconLib.networks.irem import FourierFeatures, IremNetwork


def test_published_number_of_weights():
    network = IremNetwork()
    assert sum(p.numel() for p in network.parameters()) == 1_258_497
    assert len(network.hidden) == 17
    widths = [block[0].in_features for block in network.hidden]
    assert [n for n, width in enumerate(widths, 1) if width == 512] == [7, 13]
    assert not network.encoding.matrix.requires_grad


@pytest.mark.parametrize("count", [2, 7, 100])
def test_shapes_and_encoding(count):
    points = torch.rand(count, 3) * 2 - 1
    assert IremNetwork(width=16, features=8)(points).shape == (count,)
    encoded = FourierFeatures(4, generator=torch.Generator().manual_seed(0))(points)
    assert encoded.shape == (count, 8)
    torch.testing.assert_close(encoded[:, :4] ** 2 + encoded[:, 4:] ** 2, torch.ones(count, 4))


def test_evaluation_does_not_depend_on_the_chunk():
    network = IremNetwork(width=16, features=8).eval()
    points = torch.rand(50, 3)
    torch.testing.assert_close(network(points)[:7], network(points[:7]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: IremNetwork(width=64, features=64, layers=6, sigma=2.0),
        lambda: FeatureGridNetwork((1, 0.8, 0.6), [0.4, 0.2], base_shape=(5, 6, 7)),
    ],
)
def test_overfits_one_sample(make):
    torch.manual_seed(0)
    network, points = make(), torch.rand(64, 3) - 0.5
    target = torch.rand(64)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(400):
        loss = (network(points) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1e-3


def test_grid_is_trilinear_between_its_points_and_constant_outside():
    grid = FeatureGrid((1.0, 0.5, 0.25), [], features=1, shapes=[(2, 3, 5)])
    with torch.no_grad():
        z, y, x = torch.meshgrid(torch.arange(2.0), torch.arange(3.0), torch.arange(5.0), indexing="ij")
        grid.levels[0].copy_((x + 10 * y + 100 * z)[None, None])
    points = torch.tensor([[-1.0, -0.5, -0.25], [1.0, 0.5, 0.25], [0.25, 0.1, 0.05], [9.0, 9.0, 9.0]])
    expected = torch.tensor([0.0, 124.0, 2.5 + 12.0 + 60.0, 124.0])
    torch.testing.assert_close(grid(points)[:, 0], expected)


def test_starts_as_its_start_volume():
    network = FeatureGridNetwork((1, 1, 1), [0.5], base_shape=(3, 3, 3))
    values = torch.rand(3, 3, 3)
    network.load_base(values)
    corners = torch.tensor([[-1.0, -1, -1], [1, -1, -1], [0, 0, 1]])
    torch.testing.assert_close(network(corners), torch.stack([values[0, 0, 0], values[0, 0, 2], values[2, 1, 1]]))
