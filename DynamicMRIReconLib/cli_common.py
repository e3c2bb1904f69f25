"""What the commands share: the parser, the options of reading, settings as ``name=value``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from DynamicMRIReconLib.errors import InputError

PROGRAM = "dynamic-mri-recon"
_LONGEST_LINE = 1000
READ_OPTIONS = (
    "axes",
    "frames_from",
    "times_from",
    "shots_per_frame",
    "dataset",
    "variable",
    "pixel_size_mm",
    "trajectory",
    "coil_maps",
)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are input errors like all others: one line, exit code 2."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        # An abbreviated option would change its meaning with the next option that begins alike.
        super().__init__(*arguments, **{**keywords, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see: {self.prog} --help)")


def one_line(text: str) -> str:
    """The text in a line of bearable length, with every run of white space as one blank."""
    line = " ".join(printable(text).split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..."


def printable(text: str) -> str:
    """The text without what would steer a terminal; texts out of files may hold anything."""
    return "".join(
        letter if letter.isprintable() or letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def add_read_options(parser: argparse.ArgumentParser) -> None:
    """Options that tell a reader what the file itself does not say."""
    group = parser.add_argument_group("reading", "what the input file does not say by itself")
    group.add_argument("--axes", metavar="A,B,...", help="names of an array's axes: coils,frames,shots,readout ...")
    group.add_argument("--frames-from", metavar="COUNTER", help="ISMRMRD counter of the frames: repetition, phase ...")
    group.add_argument("--times-from", metavar="SOURCE", help="frame times from acquisition or physiology stamps")
    group.add_argument(
        "--shots-per-frame",
        metavar="N",
        type=int,
        help="make frames of N shots each (radial, spiral) instead of the file's",
    )
    group.add_argument("--dataset", metavar="NAME", help="HDF5 group that holds the acquisitions")
    group.add_argument("--variable", metavar="NAME", help="variable that holds the data, in .mat and .npz files")
    _add_pixel_size(group)
    group.add_argument("--trajectory", metavar="FILE", help="k-space trajectory, where it is kept apart")
    group.add_argument("--coil-maps", metavar="FILE", help="coil sensitivity maps (default: estimated)")


def read_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of ``add_read_options`` that were given, as keyword arguments of ``io.read``."""
    given = {name: getattr(arguments, name) for name in READ_OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


def add_series_options(parser: argparse.ArgumentParser) -> None:
    """The options of reading that matter for an image series."""
    group = parser.add_argument_group("reading", "what the file of the series does not say by itself")
    group.add_argument("--axes", metavar="A,B,...", help="names of an array's axes: frames,y,x ...")
    group.add_argument("--variable", metavar="NAME", help="variable that holds the series, in .mat and .npz files")
    _add_pixel_size(group)


def _add_pixel_size(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--pixel-size-mm", metavar="MM", type=float, help="size of the pixels of a video or GIF")


def series_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of ``add_series_options`` that were given, as keyword arguments of ``io.read``."""
    given = {name: getattr(arguments, name) for name in ("axes", "variable", "pixel_size_mm")}
    return {name: value for name, value in given.items() if value is not None}


def add_scheduler_options(group: Any) -> None:
    """Add what a Dask scheduler that runs already needs to be reached."""
    group.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler that runs already: tcp://host:8786")
    group.add_argument("--tls-ca-file", default="", metavar="FILE", help="of a tls:// scheduler: who signs (PEM)")
    group.add_argument("--tls-cert", default="", metavar="FILE", help="our certificate (PEM)")
    group.add_argument("--tls-key", default="", metavar="FILE", help="its key (PEM)")


def tls_of(arguments: argparse.Namespace) -> Any:
    """The TLS files of ``add_scheduler_options``.

    Raises
    ------
    InputError
        There are some, but no scheduler.
    """
    from DynamicMRIReconLib.batch.cluster import Tls

    tls = Tls(arguments.tls_ca_file, arguments.tls_cert, arguments.tls_key)
    if tls != Tls() and not arguments.scheduler:
        raise InputError("The --tls options go with --scheduler: name the scheduler, or leave them out.")
    return tls


def settings(pairs: Iterable[str], option: str) -> dict[str, str]:
    """``name=value`` texts as a dict.

    Raises
    ------
    InputError
        One has no ``=`` or no name, or a name comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise InputError(f"{option} {pair!r}: write name=value, for example iterations=20.")
        if name in found:
            raise InputError(f"{option} gives {name} twice: give it once.")
        found[name] = value.strip()
    return found


def value_of(text: str) -> Any:
    """A number, true, false, null or a JSON list from text that is one, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return {"none": None, "True": True, "False": False}.get(text, text)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    json.dump(value, sys.stdout, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()


def existing(path: str) -> Path:
    """The path of an input.

    Raises
    ------
    InputError
        There is no such file or folder.
    """
    from DynamicMRIReconLib.jobs.hashes import files_of, is_folder

    found = Path(path)
    if not is_folder(found):
        files_of(found)
    return found


def read_series(path: Path, **options: Any) -> Any:
    """Read an image series.

    Raises
    ------
    InputError
        The file cannot be read, or holds something else.
    """
    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.data import ImageSeries

    data = io.read(path, **options)
    if not isinstance(data, ImageSeries):
        raise InputError(f"{path.name} is not an image series: reconstruct it first ({PROGRAM} recon).")
    return data
