"""The 3D CNN: size, shapes, data consistency, memory of checkpointing, that it learns."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from DynamicMRIReconLib.networks.cnn3d import Cnn3d, Convolution
from DynamicMRIReconLib.networks.consistency import shared
from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c

SMALL = {"features": 4}


def count(**options):
    return sum(p.numel() for p in Cnn3d(**options).parameters())


def from_all_sides(coils, shape):
    """Smooth maps of coils around the field of view, sum of squares 1."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing="ij")
    angle = torch.arange(coils)[:, None, None] * 2 * torch.pi / coils
    maps = torch.exp(-((x - angle.cos()) ** 2 + (y - angle.sin()) ** 2) + 1j * (angle + x * y))
    return (maps / maps.abs().square().sum(0).sqrt()).to(torch.complex64)


def case(shape=(5, 12, 14), batch=2, coils=1, seed=0):
    """Random complex movies, maps with sum of squares 1, other lines measured in each frame, and the samples."""
    generator = torch.Generator().manual_seed(seed)
    frames, ny, nx = shape
    movie = torch.randn(batch, *shape, dtype=torch.complex64, generator=generator)
    mask = (torch.rand(batch, frames, ny, 1, generator=generator) < 0.4).expand(batch, *shape).contiguous()
    maps = from_all_sides(coils, (ny, nx))
    coil_images = movie[:, :, None] * maps if coils > 1 else movie[:, :, None]
    return movie, torch.where(mask[:, :, None], fft2c(coil_images), 0), mask, maps


def test_published_number_of_weights():
    assert count() == 228_290
    assert count(features=32) == 58_850
    assert count(kind="complex") == 501_474
    assert count(kind="complex", batch_norm=True) == 502_178
    assert count(kind="complex", dropout=0.4) == 501_474
    assert count(iterations=1) == 228_290
    assert count(iterations=3) == 3 * 228_290
    assert count(kind="complex", iterations=2, features=16) == 2 * count(kind="complex", features=16)


@pytest.mark.parametrize("inputs", [2, 32, 40])
def test_the_convolution_is_that_of_torch(inputs):
    torch.manual_seed(0)
    layer, x = Convolution(inputs, 3), torch.randn(2, inputs, 5, 6, 7, requires_grad=True)
    expected = functional.conv3d(x, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)
    ours, theirs = (torch.autograd.grad(y.square().sum(), (x, layer.weight)) for y in (layer(x), expected))
    for found, wanted in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 16, 16), (5, 17, 30), (2, 3, 5), (7, 20, 9)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kind": "complex", "batch_norm": True, "dropout": 0.4},
        {"kind": "complex", "pool_time": True},
        {"kind": "complex", "learned_resample": True, "pool_time": True, "iterations": 2},
        {"iterations": 1, "sharing": True, "demodulate": True},
    ],
)
def test_any_size_and_no_state_between_calls(shape, options):
    torch.manual_seed(0)
    network = Cnn3d(**SMALL, **options).eval()
    _, samples, mask, _ = case(shape)
    with torch.no_grad():
        movies = network(samples, mask)
        network(*case((3, 8, 12))[1:3])
        again = network(samples, mask)
    assert [tuple(movie.shape) for movie in movies] == [(2, *shape)] * (1 + max(1, options.get("iterations", 0)))
    assert movies[-1].dtype == torch.complex64
    assert not torch.equal(movies[-1], movies[0])
    torch.testing.assert_close(movies[-1], again[-1], rtol=0, atol=0)


def test_without_iterations_it_is_what_went_in_and_a_correction():
    _, samples, mask, _ = case()
    network = Cnn3d(**SMALL)
    zero_filled, movie = network(samples, mask)
    torch.testing.assert_close(zero_filled, ifft2c(samples)[:, :, 0])
    correction = network.blocks[0](torch.stack([zero_filled.real, zero_filled.imag], dim=1))
    torch.testing.assert_close(movie, zero_filled + torch.complex(correction[:, 0], correction[:, 1]))
    torch.testing.assert_close(Cnn3d()(samples, mask)[1].shape, movie.shape)


@pytest.mark.parametrize("coils", [1, 2])
@pytest.mark.parametrize("kind", ["simple", "complex"])
def test_every_iteration_keeps_what_was_measured(kind, coils):
    torch.manual_seed(0)
    _, samples, mask, maps = case(coils=coils)
    network = Cnn3d(kind=kind, iterations=3, features=6).eval()
    network.coil_iterations = 300
    with torch.no_grad():
        movies = network(samples, mask, maps if coils > 1 else None)
    for before, movie in itertools.pairwise(movies):
        coil_images = movie[:, :, None] * maps if coils > 1 else movie[:, :, None]
        found = torch.where(mask[:, :, None], fft2c(coil_images), 0)
        torch.testing.assert_close(found, samples, rtol=0, atol=1e-5)
        assert not torch.equal(before, movie)


def test_sharing_starts_from_filled_gaps_and_a_start_that_is_known_takes_its_place():
    movie, samples, mask, _ = case((6, 12, 14))
    network = Cnn3d(sharing=True, iterations=1, **SMALL).eval()
    with torch.no_grad():
        start, found = network(samples, mask)
        torch.testing.assert_close(start, ifft2c(shared(samples, mask))[:, :, 0])
        given = network(samples, mask, start=movie)
        torch.testing.assert_close(given[0], movie)
        part = network(samples[:, 1:4], mask[:, 1:4], start=start[:, 1:4])
    torch.testing.assert_close(part[0], start[:, 1:4])
    assert not torch.allclose(given[1], found)


@pytest.mark.parametrize("demodulate", [True, False])
def test_demodulation_makes_the_phase_of_the_scan_meaningless(demodulate):
    torch.manual_seed(0)
    _, samples, mask, _ = case()
    network = Cnn3d(demodulate=demodulate, iterations=2, **SMALL).eval()
    turn = torch.exp(torch.tensor(0.7j))
    with torch.no_grad():
        plain, turned = network(samples, mask)[-1], network(samples * turn, mask)[-1]
    assert torch.allclose(turned, plain * turn, atol=1e-5) == demodulate


def test_noise_weight_weighs_the_samples():
    torch.manual_seed(0)
    _, samples, mask, _ = case()
    network = Cnn3d(iterations=1, noise_weight=4.0, **SMALL).eval()
    soft = network(samples, mask)[-1]
    network.noise_weight = 1e6
    hard = network(samples, mask)[-1]
    torch.testing.assert_close(torch.where(mask, fft2c(hard), 0), samples[:, :, 0], rtol=1e-4, atol=1e-4)
    away = torch.where(mask, fft2c(soft), 0) - samples[:, :, 0]
    assert away.abs().max() > 1e-3


def test_a_frame_sees_as_far_in_time_as_four_convolutions_do():
    network = Cnn3d(**SMALL).eval()
    _, samples, mask, _ = case((12, 8, 8), batch=1)
    changed = samples.clone()
    changed[:, 0] *= 2
    with torch.no_grad():
        frames = (network(changed, mask)[-1] - network(samples, mask)[-1]).abs().amax((0, 2, 3))
    assert (frames[:5] > 0).all()
    assert not frames[5:].any()


def test_several_coils_need_maps_and_impossible_options_are_refused():
    _, samples, mask, _ = case(coils=3)
    with pytest.raises(ValueError, match="coil maps"):
        Cnn3d(**SMALL)(samples, mask)
    for options in (
        {"kind": "deep"}, {"iterations": 11}, {"dropout": 1.0}, {"noise_weight": 0.0}, {"pool_time": True},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"must be|need"):
            Cnn3d(**options)


def kept_bytes(network, samples, mask):
    """Bytes that wait for the backward pass, without the weights."""
    kept, weights = {}, {p.data_ptr() for p in network.parameters()}

    def pack(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(samples, mask)[-1].abs().mean().backward()
    return sum(kept.values())


def test_checkpointing_gives_the_same_gradients_for_the_memory_of_one_iteration():
    _, samples, mask, _ = case((4, 16, 16), batch=1)
    found = {}
    for checkpointing in (False, True):
        torch.manual_seed(0)
        network = Cnn3d(iterations=3, features=16, checkpointing=checkpointing, dropout=0.2).train()
        torch.manual_seed(1)
        network(samples, mask)[-1].abs().mean().backward()
        found[checkpointing] = [parameter.grad for parameter in network.parameters()]
    for one, other in zip(found[False], found[True], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    sizes = {on: kept_bytes(Cnn3d(iterations=3, checkpointing=on), samples, mask) for on in (False, True)}
    assert sizes[True] < 0.5 * sizes[False]
    # 3 iterations of 20 x 192 x 192: what waits between them, one iteration computed again, its gradients
    voxels = math.prod(mask.shape)
    one = kept_bytes(Cnn3d(iterations=1), samples, mask) / voxels
    assert (sizes[True] / voxels + 2 * one) * 20 * 192 * 192 < 8 * 2**30


@pytest.mark.parametrize("options", [{"iterations": 2}, {"kind": "complex", "batch_norm": True}])
def test_overfits_one_sample(options):
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(16.0) - 7.3, torch.arange(16.0) - 8.6, indexing="ij")
    frames = [((x / (4 + t)) ** 2 + (y / 6) ** 2 < 1) * torch.exp(0.3j * x) for t in range(3)]
    movie = torch.stack(frames).to(torch.complex64)[None]
    mask = (torch.rand(1, 3, 16, 1) < 0.3).expand(1, 3, 16, 16)
    samples = torch.where(mask, fft2c(movie), 0)[:, :, None]
    network = Cnn3d(features=8, **options)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    with torch.no_grad():
        start = (network(samples, mask)[0] - movie).abs().square().mean()
    for _ in range(80):
        loss = (network(samples, mask)[-1] - movie).abs().square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.15 * start


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    _, samples, mask, _ = case()
    network = Cnn3d(kind="complex", iterations=2, learned_resample=True, **SMALL)
    network(samples, mask)[-1].abs().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
