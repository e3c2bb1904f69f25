"""What every reconstruction method declares and receives: the form of a plug-in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.methods.kept import KEEPS_NOTHING, Keeper, Loop

Data = KSpace | ImageSeries | list[ImageSeries]
InputKind = Literal["kspace", "series", "stacks"]
KIND_IN_WORDS = {"kspace": "k-space", "series": "an image series", "stacks": "two or more image stacks"}


class Parameters(BaseModel):
    """Base of the parameter models: unknown names are refused, values are checked, instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def parameter(
    default: Any,
    help: str,  # noqa: A002  the word users know
    *,
    unit: str = "",
    advanced: bool = False,
    **limits: Any,
) -> Any:
    """A pydantic field with the one-line ``help`` and ``unit`` that form, command line and docs show.

    ``limits`` are pydantic's ``ge``, ``gt``, ``le``, ``lt``, ``multiple_of``; ``advanced`` folds it away in the form.
    """
    return Field(default, description=help, json_schema_extra={"unit": unit, "advanced": advanced}, **limits)


@dataclass(frozen=True)
class Estimate:
    """What a run will need, shown before it starts and meant to be right within a factor of 1.5.

    Attributes
    ----------
    memory_bytes
        Peak of the whole process, program, data and result included.
    seconds
        Of the method itself with one thread, without starting the program, reading and writing.
    """

    memory_bytes: float
    seconds: float


def _ignore(*_: Any) -> None:
    return None


@dataclass
class Context:
    """What a running method may use of the world around it.

    Attributes
    ----------
    device
        torch device name, already resolved (``cpu``, ``cuda``, ``cuda:1``, ``mps``).
    seed
        seed of every random number.
    progress
        called with fraction (0..1) and a short message.
    cancelled
        returns True once the user asked to stop.
    preview
        called now and then with a magnitude array (frames, z, y, x) or (z, y, x).
    warn
        called with a sentence the user should read.
    figures
        what a method says about its result, summed over slices: ``misfit``, ``penalty``...; see ``add_figures``.
    keeper
        keeps the state of the run, see ``once`` and ``loop``.
    """

    device: str = "cpu"
    seed: int = 0
    progress: Callable[[float, str], None] = _ignore
    cancelled: Callable[[], bool] = lambda: False
    preview: Callable[[NDArray[np.float32]], None] = _ignore
    warn: Callable[[str], None] = _ignore
    figures: dict[str, float] = field(default_factory=dict)
    keeper: Keeper = KEEPS_NOTHING
    _share: tuple[float, float] = field(default=(0.0, 1.0), repr=False)
    _place: tuple[str, ...] = field(default=(), repr=False)

    def step(self, fraction: float, message: str = "") -> None:
        """Report progress, and stop here if the user asked to.

        Raises
        ------
        Cancelled
            If ``cancelled()`` is true.
        """
        if self.cancelled():
            raise Cancelled("Cancelled.")
        low, high = self._share
        self.progress(low + (high - low) * min(1.0, max(0.0, fraction)), message)

    def part(self, index: int, count: int) -> Context:
        """A context whose progress fills the ``index``-th of ``count`` equal parts of this one's."""
        low, high = self._share
        width = (high - low) / count
        share = (low + width * index, low + width * (index + 1))
        return replace(self, _share=share, _place=(*self._place, f"{index} of {count}"))

    def once(self, name: str, work: Callable[[Context], NDArray[Any]]) -> NDArray[Any]:
        """``work(context)``; or, in a run that goes on after it was ended, what this gave before, with its figures.

        ``name`` (``slice 2 of 5``) is told to the user; no other work of the same part of the run has it.
        """
        key = self._key(name)
        found = self.keeper.found(key)
        if found is None:
            before = dict(self.figures)
            self.figures.clear()
            try:
                array = work(replace(self, _place=(*self._place, name)))
                found = {"array": array, **{f"figure {n}": np.array(v) for n, v in self.figures.items()}}
            finally:
                self.figures.clear()
                self.figures.update(before)
            self.keeper.finish(key, found)
        self.add_figures(**{n.removeprefix("figure "): float(v) for n, v in found.items() if n != "array"})
        return found["array"]

    def loop(self, name: str, at: str = "iteration {}") -> Loop:
        """Where a loop of this part of the run keeps its state, for solvers; ``at`` says where it goes on from."""
        return Loop(self.keeper, self._key(name), self.device, at)

    def release(self) -> None:
        """Hold nothing in memory of what ``once`` gave in this part of the run: it is put together."""
        self.keeper.release(self._key(""))

    def _key(self, name: str) -> str:
        return "/".join((*self._place, name))

    def add_figures(self, **figures: float) -> None:
        """Add to ``figures``. Slices and blocks of frames each add theirs; parts of a context share one account.

        ``misfit`` is the data term of what is minimised, ``penalty`` the rest of it, and ``penalty_per_NAME`` the
        derivative of the penalty by the parameter NAME, its weight: what an L-curve shows.
        """
        for name, value in figures.items():
            self.figures[name] = self.figures.get(name, 0.0) + float(value)


class Method(ABC):
    """One reconstruction method that a user can pick. Subclasses fill the class variables and ``run``.

    A method module imports torch and other heavy packages inside its functions only: the list of methods must come
    up in well under a second. ``run`` returns in the intensity scale of its input.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    citation: ClassVar[str]
    input_kind: ClassVar[InputKind]
    Parameters: ClassVar[type[Parameters]]
    #: preset name -> values that differ from the model's defaults; ``fast``, ``standard`` and ``faithful`` always exist
    presets: ClassVar[dict[str, dict[str, Any]]] = {"fast": {}, "standard": {}, "faithful": {}}
    #: names of the ``ImageSeries.parts`` that every result comes with
    parts: ClassVar[tuple[str, ...]] = ()
    #: a GPU makes it many times faster: on a cluster it goes to workers that have one
    prefers_gpu: ClassVar[bool] = False

    def why_not(self, data: Data) -> str | None:
        """A sentence saying why ``data`` does not fit this method, or None when it does."""
        kind = "kspace" if isinstance(data, KSpace) else "series" if isinstance(data, ImageSeries) else "stacks"
        if kind != self.input_kind:
            return f"{self.title} needs {KIND_IN_WORDS[self.input_kind]}; this is {KIND_IN_WORDS[kind]}."
        return None

    def parameters(self, preset: str = "standard", **values: Any) -> Any:
        """The checked ``Parameters`` of ``preset`` with ``values`` put over it (text such as "12" is converted).

        Raises
        ------
        InputError
            Naming the parameter, what it must be, and what was given.
        """
        if preset not in self.presets:
            raise InputError(f"Method {self.key} has no preset {preset!r}; it has {', '.join(self.presets)}.")
        try:
            return self.Parameters(**{**self.presets[preset], **values})
        except ValidationError as error:
            raise InputError(_parameter_sentence(self, error)) from error

    def parts_of(self, parameters: Any) -> tuple[str, ...]:
        """Names of the ``ImageSeries.parts`` of a result with these parameters."""
        return self.parts

    @abstractmethod
    def estimate(self, data: Data, parameters: Any, device: str) -> Estimate:
        """Memory and time this run will need."""

    @abstractmethod
    def run(self, data: Any, parameters: Any, context: Context) -> ImageSeries:
        """Reconstruct. Calls ``context.step`` at least once an iteration."""


def _parameter_sentence(method: Method, error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        name = ".".join(str(place) for place in item["loc"])
        if item["type"] == "extra_forbidden":
            known = ", ".join(method.Parameters.model_fields) or "none"
            parts.append(f"unknown parameter {name!r} (known: {known})")
        else:
            parts.append(f"{name} = {item['input']!r}: {item['msg'][0].lower()}{item['msg'][1:]}")
    return f"Parameters of method {method.key}: {'; '.join(parts)}."
