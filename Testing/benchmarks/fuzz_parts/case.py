"""What a format tells the runner, and one broken file of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

#: what must become of a file: refused, or read as if nothing had been done to it, or either of them; ``bomb`` may also
#: end with the sentence that it does not fit into memory
Expected = Literal["any", "refused", "same", "bomb"]


@dataclass
class Place:
    """The folder of one case.

    Attributes
    ----------
    folder
        Everything that the case may touch.
    given
        The file or folder that is read; a fault may choose another name.
    options
        Further words for the command line.
    """

    folder: Path
    given: Path
    options: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    """A fault with a meaning.

    Attributes
    ----------
    apply
        Does it to the good files of a place, with a drawn value; may give what is expected of that very value.
    values
        What it is drawn from; plain values, so that a case can be printed.
    expected
        What must become of it.
    prepare
        What takes long and is the same for all, done before there are children that would each do it.
    """

    apply: Callable[[Place, Any], Expected | None]
    values: st.SearchStrategy[Any] = field(default_factory=st.none)
    expected: Expected = "any"
    prepare: Callable[[Any], Any] = lambda value: None


def info_words(place: Place) -> list[str]:
    """``info`` of what is given; after an option that starts with @ comes a file of the folder."""
    words: list[str] = []
    for word in place.options:
        in_folder = bool(words) and words[-1].startswith("@")
        words = [*words[:-1], words[-1][1:], str(place.folder / word)] if in_folder else [*words, word]
    return ["info", "--json", *words, "--", str(place.given)]


@dataclass(frozen=True)
class Format:
    """A kind of file that somebody may hand us.

    Attributes
    ----------
    name
        As the table names it.
    good
        Writes the good files into a folder; gives the path that is read.
    targets
        Names of the files in the folder whose bytes are broken.
    faults
        Faults with a meaning, by name.
    run
        Words of the command line that reads it, or a function where no command does; it raises what a command would.
    options
        Words that the good file needs.
    job
        Entries of the job file that reconstructs it (without its inputs); None where nothing can be reconstructed.
    checked
        The file carries checksums: no flipped byte may pass as other data.
    done
        What a refusal says that shows that the file itself was accepted.
    runs_job
        What is read is a job folder, and run: the worker writes into it.
    names_file
        Whether a refusal must name the file; one of a job is about what it asks for.
    growth
        How many bytes of data a byte of the file can stand for: 1100 with deflate.
    weight
        Share of the files; what reconstructs each time takes long.
    """

    name: str
    good: Callable[[Path], Path]
    targets: tuple[str, ...]
    faults: Mapping[str, Fault] = field(default_factory=dict)
    run: Callable[[Place], list[str] | None] = info_words
    options: tuple[str, ...] = ()
    job: Mapping[str, Any] | None = None
    checked: bool = False
    done: str = ""
    runs_job: bool = False
    names_file: bool = True
    growth: float = 1100.0
    weight: float = 1.0


#: number of the case that is the good file
UNBROKEN = -1


@dataclass(frozen=True)
class Case:
    """One broken file. ``fault`` is empty where bytes are broken at random; else ``value`` is what was drawn for it."""

    format: str
    number: int
    fault: str = ""
    value: Any = None


def cases_of(one: Format, count: int, run_seed: int) -> list[Case]:
    """``count`` broken files: half of them with a meaning as far as hypothesis finds so many, the rest bytes."""
    drawn: list[tuple[str, Any]] = []
    if one.faults and count > 1:
        ways = [st.tuples(st.just(name), fault.values) for name, fault in sorted(one.faults.items())]

        @seed(run_seed)
        @settings(
            max_examples=count // 2,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.one_of(ways))
        def collect(value: tuple[str, Any]) -> None:
            if value not in drawn:
                drawn.append(value)

        collect()
    meant = [Case(one.name, number, name, value) for number, (name, value) in enumerate(drawn[: count // 2])]
    return meant + [Case(one.name, number) for number in range(len(meant), count)]
