"""The file that says how to train: TOML or JSON, every value checked before anything starts."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.json_text import parsed_json
from DynamicMRIReconLib.models.card import Range

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """Unknown names are refused: a misspelt setting must not be ignored in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _increasing(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= value[0] < value[1]:
        raise ValueError(f"[{value[0]}, {value[1]}] is no range: write [first, end) with 0 <= first < end")
    return value


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if not 0 < value[0] <= value[1] < math.inf:
        raise ValueError("write [smallest, largest], both above 0")
    return value


FrameRange = Annotated[tuple[int, int], AfterValidator(_increasing)]
Interval = Annotated[tuple[float, float], AfterValidator(_ordered)]
Matrix = Annotated[int, Field(ge=16, le=1024)]
Middle = Annotated[float, Field(gt=0, le=1, description="share of the side that is used: a square in the middle")]


class Phantoms(Section):
    """An endless stream of randomised phantoms; people of training, validation and tests are different seeds."""

    name: Literal["vocal-tract", "heart"] = "vocal-tract"
    weight: float = Field(default=1.0, ge=0)
    frame_time_ms: Interval = (12.0, 40.0)
    reuse: int = Field(default=16, ge=1, description="clips drawn of a person before another takes the place")
    pool: int = Field(default=8, ge=1, description="persons in turn")
    cyclic: bool = Field(default=False, description="a clip is one whole beat, as many frames as it has")
    middle: Middle = 1.0


class SeriesRule(Section):
    """What to do with the files of ``--data`` whose name matches ``files``; the first rule that matches counts."""

    files: str = "*"
    weight: float = Field(default=1.0, ge=0)
    train: tuple[FrameRange, ...] = ()
    validation: tuple[FrameRange, ...] = ()
    axes: str | None = None
    variable: str | None = None
    frame_time_ms: float | None = Field(default=None, gt=0)
    cyclic: bool = Field(default=False, description="a series is one heartbeat, and a clip all of it")
    middle: Middle = 1.0


class Data(Section):
    """Where clips come from. Frames that are in no range of a rule with ranges are not used at all."""

    matrix: tuple[Matrix, ...] = (128,)
    phantoms: tuple[Phantoms, ...] = ()
    series: tuple[SeriesRule, ...] = ()
    validation_share: float = Field(default=0.15, gt=0, lt=1)
    validation_clips: int = Field(default=32, ge=1)
    workers: int = Field(default=0, ge=0, le=64)


class Optimiser(Section):
    """Which optimiser, and its settings."""

    name: Literal["adam", "adamw", "muon", "sgd"] = "adam"
    learning_rate: float = Field(default=1e-4, gt=0, le=10)
    weight_decay: float = Field(default=0.0, ge=0)
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    gradient_clip: float | None = Field(default=1.0, gt=0, description="largest norm of the gradient")


class Schedule(Section):
    """How the learning rate changes: linear warm-up, then constant, cosine, or steps."""

    name: Literal["constant", "cosine", "step"] = "cosine"
    warmup_steps: int = Field(default=0, ge=0)
    final_factor: float = Field(default=0.1, ge=0, le=1, description="cosine: last learning rate over the first")
    drop_at_epochs: tuple[Annotated[int, Field(ge=1)], ...] = ()
    drop_factor: float = Field(default=0.5, gt=0, lt=1)


class Card(Section):
    """What the model card says that training cannot know."""

    title: str = ""
    trained_on: str = ""
    intended_use: str = ""
    licence: str = ""
    attribution: str = ""
    notes: str = ""
    command: str = Field(default="", description="how to make it, where that takes more than one command")
    ranges: dict[str, Range] = {}
    half_precision: bool = False


class TrainingConfig(Section):
    """Everything that decides a training but the data folders."""

    seed: int = Field(default=0, ge=0)
    steps: int = Field(ge=1)
    batch_size: int = Field(default=4, ge=1)
    steps_per_epoch: int = Field(default=100, ge=1, description="validation, checkpoint, and the epochs of schedules")
    max_minutes: float | None = Field(default=None, gt=0)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    channels_last: bool = False
    initial_weights: str | None = None
    data: Data = Data()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    card: Card = Card()
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _fits(self) -> TrainingConfig:
        if self.schedule.warmup_steps >= self.steps:
            raise ValueError(f"schedule.warmup_steps ({self.schedule.warmup_steps}) must be below steps ({self.steps})")
        if self.schedule.name == "step" and not self.schedule.drop_at_epochs:
            raise ValueError("schedule 'step' needs drop_at_epochs, for example [5, 20, 35]")
        return self


def read_config(path: Path) -> TrainingConfig:
    """Read a ``.toml`` or ``.json`` file. With ``base = "other.toml"``, beside it, it says only what differs.

    A base may have a base of its own.

    Raises
    ------
    InputError
        If it is missing, no valid TOML or JSON, its bases form a circle or do not lie beside it, or a setting is
        unknown or out of range; all faults in one line.
    """
    found, read = _read(path), [path]
    while isinstance(found, dict) and "base" in found:
        base_name = str(found.pop("base"))
        if not base_name or base_name != Path(base_name).name:
            raise InputError(f"{read[-1].name}: base = {base_name!r} is not the name of a file beside it.")
        read.append(path.with_name(base_name))
        if read[-1] in read[:-1]:
            raise InputError(f"{path.name}: its bases form a circle: {' -> '.join(one.name for one in read)}.")
        base = _read(read[-1])
        found = _merged(base, found) if isinstance(base, dict) else found
    return checked(TrainingConfig, found, path.name)


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for name, value in changes.items():
        inside = both.get(name)
        both[name] = _merged(inside, value) if isinstance(inside, dict) and isinstance(value, dict) else value
    return both


def _read(path: Path) -> Any:
    if path.suffix not in (".toml", ".json"):
        raise InputError(f"{path.name} is no training configuration: it must end in .toml or .json.")
    try:
        text = path.read_text(encoding="utf-8")
        return _parsed_toml(text) if path.suffix == ".toml" else parsed_json(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"The configuration {path} cannot be read: {reason}.") from error
    except ValueError as error:
        raise InputError(f"{path.name} is not valid {path.suffix[1:].upper()}: {error}.") from error


def _parsed_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its brackets nest too deeply") from error


def checked(model: type[Model], values: Any, source: str) -> Model:
    """``values`` as a ``model``.

    Raises
    ------
    InputError
        If they do not fit; the sentence names ``source`` and every setting at fault.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = []
        for one in error.errors(include_url=False):
            place = ".".join(str(part) for part in one["loc"])
            what = "unknown setting" if one["type"] == "extra_forbidden" else one["msg"].removeprefix("Value error, ")
            faults.append(f"{place}: {what}" if place else what)
        raise InputError(f"{source}: {'; '.join(faults)}.") from error
