"""A longer cascade begins with what the shorter one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.models import architectures
from DynamicMRIReconLib.models.files import write_network
from DynamicMRIReconLib.training.initial import start_from


def miccan(blocks: int, features: int = 8) -> tuple[torch.nn.Module, dict[str, Any]]:
    options = {"blocks": blocks, "features": features, "long_skip": False}
    return architectures.build("miccan", options), options


def test_a_grown_cascade_gives_the_same_image_and_learns_in_every_block(tmp_path: Path) -> None:
    torch.manual_seed(1)
    short, options = miccan(1)
    write_network(tmp_path / "short.safetensors", short, "miccan", options)
    grown, _ = miccan(3)
    start_from(grown, tmp_path / "short.safetensors")
    mask = torch.rand(2, 16, 16) > 0.5
    samples = torch.where(mask[:, None], torch.randn(2, 1, 16, 16, dtype=torch.complex64), 0)
    with torch.no_grad():
        torch.testing.assert_close(grown.eval()(samples, mask)[-1], short.eval()(samples, mask)[-1])
    grown.train()(samples, mask)[-1].abs().sum().backward()
    assert all(parameter.grad is not None for parameter in grown.parameters())
    heads = [grown.get_parameter(f"blocks.{number}.head.weight").grad for number in range(3)]
    assert all(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in heads)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    short, options = miccan(1)
    write_network(tmp_path / "short.safetensors", short, "miccan", options)
    wider, _ = miccan(1, features=16)
    with pytest.raises(InputError, match="another network"):
        start_from(wider, tmp_path / "short.safetensors")
    with pytest.raises(InputError, match="do not exist"):
        start_from(wider, tmp_path / "none.safetensors")
