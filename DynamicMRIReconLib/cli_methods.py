"""``methods``: what can be picked, with its parameters."""

from __future__ import annotations

import argparse
from typing import Any

from DynamicMRIReconLib.cli_common import print_json


def add_command(commands: Any) -> None:
    """Add ``methods`` to the command line."""
    parser = commands.add_parser("methods", help="list the reconstruction methods and their parameters")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    from DynamicMRIReconLib.methods import registry

    methods = registry.describe_all()
    if arguments.json:
        print_json({"methods": methods})
        return 0
    for method in methods:
        print(f"{method['key']}: {method['title']}. {method['description']}")
        print(f"    cite: {method['citation']}")
        for entry in method["parameters"]:
            print(f"    {entry['name']} = {entry['default']}{_limits(entry)}  {entry['help']}")
        for name, values in method["presets"].items():
            shown = ", ".join(f"{key}={value}" for key, value in values.items()) or "the defaults"
            print(f"    preset {name}: {shown}")
    return 0


def _limits(entry: dict[str, Any]) -> str:
    if entry["choices"]:
        return f" ({', '.join(str(choice) for choice in entry['choices'])})"
    low, high = entry["minimum"], entry["maximum"]
    if low is not None and high is not None:
        limits = f"{low:g} to {high:g}"
    else:
        limits = f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else ""
    inside = " ".join(part for part in (limits, entry["unit"]) if part)
    return f" [{inside}]" if inside else ""
