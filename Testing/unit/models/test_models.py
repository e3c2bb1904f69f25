"""Files of weights and their cards: what fits loads, anything else is one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from DynamicMRIReconLib import models
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.models import architectures, places
from DynamicMRIReconLib.models.card import ModelCard, Range, facts_of, write_card
from DynamicMRIReconLib.models.files import read_network, write_network

OPTIONS = {"blocks": 1, "features": 8}
BUDGET_BYTES = 50 * 2**20


def card(sha256: str, **changes: Any) -> ModelCard:
    values: dict[str, Any] = {
        "title": "Tiny",
        "network": "miccan",
        "sha256": sha256,
        "trained_on": "nothing",
        "intended_use": "tests",
        "ranges": {
            "matrix": Range(low=64, high=128, unit="pixels", meaning="size of the images"),
            "acceleration": Range(low=3, high=3, meaning="acceleration"),
        },
        "licence": "CC0",
        "command": "none",
        "date": "2026-01-31",
        **changes,
    }
    return ModelCard.model_validate(values)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny network with fresh weights, and its card."""
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    write_network(path, architectures.build("miccan", OPTIONS), "miccan", OPTIONS)
    write_card(path.with_suffix(".json"), card(sha256_of(path)))
    return path


@pytest.mark.parametrize("half", [False, True])
def test_there_and_back(tmp_path: Path, half: bool) -> None:
    torch.manual_seed(0)
    network = architectures.build("miccan", OPTIONS).eval()
    path = tmp_path / "there.safetensors"
    write_network(path, network, "miccan", OPTIONS, half=half)
    write_card(path.with_suffix(".json"), card(sha256_of(path)))
    loaded = models.load(path, network="miccan")
    assert loaded.card.title == "Tiny"
    assert not loaded.network.training
    for name, tensor in network.state_dict().items():
        found = loaded.network.state_dict()[name]
        assert found.dtype == tensor.dtype
        torch.testing.assert_close(found, tensor, rtol=1e-3 if half else 0, atol=1e-4 if half else 0)


def test_missing_weights_card_and_name(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not exist"):
        models.load(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match=r"There is no model 'best'"):
        models.load("best")
    model.with_suffix(".json").unlink()
    with pytest.raises(InputError, match="keep it beside its weights"):
        models.load(model)


def test_weights_of_another_hash(model: Path) -> None:
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    with pytest.raises(InputError, match="are not those of their model card"):
        models.load(model)


def test_options_that_ask_for_a_huge_network_are_refused_without_taking_memory(model: Path) -> None:
    network = architectures.build("miccan", OPTIONS)
    # dozens of GiB of weights
    write_network(model, network, "miccan", {"blocks": 1, "features": 2**15})
    with pytest.raises(InputError, match="is damaged"):
        read_network(model, "miccan")


def test_another_network(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds the network 'miccan'; 'ifnet' is needed"):
        models.load(model, network="ifnet")
    # a card that says ifnet over weights that are miccan's
    write_card(model.with_suffix(".json"), card(sha256_of(model), network="ifnet"))
    with pytest.raises(InputError, match="holds the network 'miccan'"):
        models.load(model, network="ifnet")


@pytest.mark.parametrize("damage", ["cut", "empty", "pickle", "other", "options", "tensor"])
def test_damaged_weights(model: Path, damage: str) -> None:
    whole = model.read_bytes()
    notes = {"format": "dynamic-mri-recon model 1", "network": "miccan", "options": json.dumps(OPTIONS)}
    state = {name: tensor.clone() for name, tensor in architectures.build("miccan", OPTIONS).state_dict().items()}
    if damage == "cut":
        model.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty":
        model.write_bytes(b"")
    elif damage == "pickle":
        torch.save(state, model)
    elif damage == "other":
        save_file(state, model)
    elif damage == "options":
        save_file(state, model, metadata={**notes, "options": '{"depth": 3}'})
    else:
        state.popitem()
        save_file(state, model, metadata=notes)
    write_card(model.with_suffix(".json"), card(sha256_of(model)))
    with pytest.raises(InputError) as error:
        models.load(model)
    assert "tiny.safetensors" in str(error.value) or "options" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "abc"}, "sha256"),
        ({"date": "yesterday"}, "date"),
        ({"warning": "Fine for patients."}, "warning"),
        ({"extra": 1}, "extra"),
        ({"licence": None}, "licence"),
    ],
)
def test_faulty_cards(model: Path, changes: dict[str, Any], said: str) -> None:
    path = model.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")
    with pytest.raises(InputError, match=f"missing or wrong entries: {said}"):
        models.load(model)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="model card"):
        models.load(model)


def test_warnings_name_what_is_out_of_range() -> None:
    one = card("0" * 64)
    assert models.card_warnings(one, {"matrix": 64, "acceleration": 3, "unheard": 9}) == []
    found = models.card_warnings(one, {"matrix": 256, "acceleration": 4.0})
    assert found[0].startswith(
        "The size of the images is 256 pixels; the model 'Tiny' was trained for 64 to 128 pixels"
    )
    assert "trained for 3:" in found[1]
    facts = facts_of(torch.zeros(4, 1, 84, 72).numpy(), [0.0, 0.02, 0.04, 0.07])
    assert facts == pytest.approx({"matrix": 84, "frame_time_ms": 20})


def test_the_models_that_ship_load_and_are_small() -> None:
    found = places.shipped()
    assert found
    assert sum(path.stat().st_size for path in found.values()) < BUDGET_BYTES
    for name in found:
        loaded = models.load(name)
        assert loaded.card.metrics
        assert loaded.card.ranges
        assert loaded.card.licence
        assert "dynamic-mri-recon train" in loaded.card.command
        assert all(bool(torch.isfinite(tensor).all()) for tensor in loaded.network.parameters())
