"""The model card: what a file of weights is, what it was trained on and for, and how good it was when measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.json_text import parsed_json

HONESTY: Literal["Not for diagnostic use."] = "Not for diagnostic use."


class Range(BaseModel):
    """Smallest and largest value of a quantity that the model met in training."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    low: float
    high: float
    unit: str = ""
    meaning: str


class Metric(BaseModel):
    """One measured figure."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    data: str
    value: float
    compared_with: dict[str, float] = {}


class ModelCard(BaseModel):
    """Lies beside the weights as JSON.

    Attributes
    ----------
    ranges
        By name of the fact that ``card_warnings`` compares: ``acceleration``, ``matrix``, ``frame_time_ms``...
    command
        How to make the weights again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1] = 1
    title: str = Field(min_length=1)
    network: str = Field(min_length=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    trained_on: str
    intended_use: str
    ranges: dict[str, Range] = {}
    licence: str
    attribution: str = ""
    metrics: list[Metric] = []
    command: str
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    notes: str = ""
    warning: Literal["Not for diagnostic use."] = HONESTY


def read_card(path: Path) -> ModelCard:
    """Read and check a card.

    Raises
    ------
    InputError
        If it is missing, no JSON, or an entry is missing, unknown or wrong.
    """
    try:
        return ModelCard.model_validate(parsed_json(path.read_bytes()))
    except OSError as error:
        raise InputError(f"The model card {path} is missing or cannot be read: keep it beside its weights.") from error
    except ValidationError as error:
        places = ", ".join(".".join(str(part) for part in one["loc"]) for one in error.errors())
        raise InputError(f"The model card {path} has missing or wrong entries: {places}.") from error
    except ValueError as error:
        raise InputError(f"The model card {path} is damaged: it is no JSON text.") from error


def write_card(path: Path, card: ModelCard) -> None:
    """Write a card; the file appears whole or not at all."""
    from DynamicMRIReconLib.io.atomic import atomic_files

    with atomic_files([path], [".json"]) as (temporary,):
        temporary.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def card_warnings(card: ModelCard, facts: dict[str, float]) -> list[str]:
    """A sentence for each of ``facts`` that lies outside of the card's range of that name.

    >>> card_warnings(card, {"matrix": 256, "acceleration": 4.0})
    """
    found = []
    for name, value in facts.items():
        allowed = card.ranges.get(name)
        if allowed is None or allowed.low <= value <= allowed.high:
            continue
        unit = f" {allowed.unit}" if allowed.unit else ""
        span = f"{allowed.low:g}" if allowed.low == allowed.high else f"{allowed.low:g} to {allowed.high:g}"
        found.append(
            f"The {allowed.meaning} is {value:.4g}{unit}; the model '{card.title}' was trained for {span}{unit}: "
            "look at its result with doubt."
        )
    return found


def facts_of(frames: Any, frame_times_s: Any) -> dict[str, float]:
    """Facts of a series (T, ..., y, x) that cards may speak of: ``matrix``, ``frame_time_ms``."""
    import numpy as np

    facts = {"matrix": float(max(frames.shape[-2:]))}
    if len(frame_times_s) > 1:
        facts["frame_time_ms"] = 1e3 * float(np.median(np.diff(frame_times_s)))
    return facts
