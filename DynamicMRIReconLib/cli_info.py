"""``info``: what a file holds, and which methods fit it."""

from __future__ import annotations

import argparse
from typing import Any

from DynamicMRIReconLib.cli_common import add_read_options, existing, print_json, printable, read_options


def add_command(commands: Any) -> None:
    """Add ``info`` to the command line."""
    parser = commands.add_parser("info", help="show what a file holds and which methods fit it")
    parser.add_argument("input", metavar="INPUT", help="k-space file, image series, or folder of DICOM files")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    add_read_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the description."""
    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.data import ImageSeries
    from DynamicMRIReconLib.io import formats
    from DynamicMRIReconLib.io.describe import describe
    from DynamicMRIReconLib.jobs.hashes import files_of
    from DynamicMRIReconLib.methods.common.heart_facts import heart_facts

    path = existing(arguments.input)
    data = io.read(path, **read_options(arguments))
    named = path if path.exists() else files_of(path)[0]
    description = describe(data, path=str(path), format_name=formats.for_reading(named).NAME)
    description["methods"] = _fits(data)
    if isinstance(data, ImageSeries):
        description["heart"] = heart_facts(data)
    if arguments.json:
        print_json(description)
        return 0
    for line in io.info_text({key: value for key, value in description.items() if key != "methods"}):
        print(printable(line))
    if description.get("heart"):
        print("  beats        {beats:g}, {beat_s:.3f} s each".format(**description["heart"]))
    for entry in description["methods"]:
        print(f"method {entry['key']}: {'fits' if entry['fits'] else 'does not fit. ' + entry['why_not']}")
    return 0


def _fits(data: Any) -> list[dict[str, Any]]:
    from DynamicMRIReconLib.methods import registry

    entries = []
    for method in registry.all_methods().values():
        reason = method.why_not(data)
        entries.append({"key": method.key, "title": method.title, "fits": reason is None, "why_not": reason})
    return entries
