"""Muon: singular values, what goes by Adam, memory layouts, and that a resumed training goes on alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from DynamicMRIReconLib.training import checkpoint
from DynamicMRIReconLib.training.config import Optimiser
from DynamicMRIReconLib.training.muon import FEW, Muon, orthogonalised
from DynamicMRIReconLib.training.optimisers import make_optimiser


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv3d(2, 8, 3, padding=1), nn.ReLU(), nn.Conv3d(8, 6, 3, padding=1), nn.Conv3d(6, 2, 1))


def updated(net: nn.Module, optimiser: torch.optim.Optimizer, seeds: range) -> list[Tensor]:
    for seed in seeds:
        x = torch.randn(1, 2, 3, 5, 4, generator=torch.Generator().manual_seed(seed))
        optimiser.zero_grad()
        (net(x) - x.roll(1, -1)).square().mean().backward()
        optimiser.step()
    return [weights.detach().clone() for weights in net.parameters()]


@pytest.mark.parametrize("shape", [(8, 200), (200, 8), (30, 30)])
def test_singular_values_become_alike_and_vectors_stay(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    u, values, v = torch.linalg.svd(matrix, full_matrices=False)
    spread = u @ torch.diag(torch.logspace(0, -1, len(values), dtype=torch.float64)) @ v
    found = u.T @ orthogonalised(spread) @ v.T
    diagonal = torch.diagonal(found)
    assert 0.6 < float(diagonal.min()) <= float(diagonal.max()) < 1.25
    assert torch.allclose(found, torch.diag(diagonal), atol=1e-9)
    assert not orthogonalised(torch.zeros(shape)).any()


def test_biases_and_layers_of_few_channels_go_by_adam_and_mixing_layers_do_not() -> None:
    ours, theirs = network(), network()
    first, second = (weights for name, weights in theirs.named_parameters() if name in ("0.weight", "2.weight"))
    assert first.shape[1] <= FEW < second.shape[0]
    # one update: after it the gradients are different ones
    found = updated(ours, Muon(ours.parameters(), lr=1e-2), range(1))
    adam = updated(theirs, torch.optim.Adam(theirs.parameters(), lr=1e-2), range(1))
    alike = [torch.allclose(a, b, atol=1e-6) for a, b in zip(found, adam, strict=True)]
    assert alike == [True, True, False, True, True, True]


@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_an_update_has_about_the_size_of_adams_whatever_the_gradient(scale: float) -> None:
    weights = nn.Parameter(torch.zeros(16, 16, 3, 3, 3))
    optimiser = Muon([weights], lr=1e-2)
    weights.grad = scale * torch.randn(weights.shape, generator=torch.Generator().manual_seed(2))
    optimiser.step()
    # 0.2 of the rate when all singular values are 1; five rounds leave them between 0.65 and 1.25
    assert 0.65 < float(weights.detach().square().mean().sqrt()) / (0.2 * 1e-2) < 1.25


def test_the_memory_layout_changes_nothing() -> None:
    plain, last = network(), network().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    found = updated(plain, Muon(plain.parameters(), lr=1e-2), range(4))
    other = updated(last, Muon(last.parameters(), lr=1e-2), range(4))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, other, strict=True))


def test_decay_takes_a_share_of_the_weights_off() -> None:
    weights = nn.Parameter(torch.ones(8, 8))
    weights.grad = torch.zeros(8, 8)
    Muon([weights], lr=0.1, weight_decay=0.5).step()
    assert torch.allclose(weights.detach(), torch.full((8, 8), 0.95))


def test_a_checkpoint_keeps_its_momentum(tmp_path: Path) -> None:
    make: Callable[[nn.Module], torch.optim.Optimizer] = lambda net: make_optimiser(  # noqa: E731
        net.parameters(), Optimiser(name="muon", learning_rate=1e-2, momentum=0.95)
    )
    whole, scaler = network(), torch.amp.GradScaler("cpu", enabled=False)
    optimiser = make(whole)
    wanted = updated(whole, optimiser, range(6))
    first, second = network(), network(1)
    optimiser = make(first)
    updated(first, optimiser, range(3))
    checkpoint.save(tmp_path / "last.safetensors", first, optimiser, scaler, checkpoint.Progress(step=3), {})
    optimiser = make(second)
    checkpoint.restore(*checkpoint.load(tmp_path / "last.safetensors"), second, optimiser, scaler)
    found = updated(second, optimiser, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
