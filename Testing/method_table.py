"""Makes docs/methods.md and a page for each method from the registry, so that they say what the code does.

``--write`` rewrites them; the test compares them with ``pages()``.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "methods.md"
FOLDER = ROOT / "docs" / "methods"
WIDTH = 120
PRESET_ORDER = ("fast", "standard", "faithful")

HEAD = """
# Methods

This page and those of the methods are made from the methods' own declarations by `make lists`; do not edit them. The
panel, the command line and Python show the same methods with the same parameters.

Symbols, unless a method says otherwise: `y` are the measured samples, `x` the image series, `F` the Fourier transform
at the sampled places ([convention](formats.md#fourier-transform-and-intensity)), `C` the multiplication with coil
sensitivity maps, `W` the density compensation weights, `^H` the adjoint, `|v|^2` the sum of squared magnitudes. Where
data are said to be scaled, the result is scaled back: results are in the intensity scale of the data.

Every method has the presets `fast`, `standard` (the default) and `faithful`. A preset sets the parameters listed with
it; all others have their defaults. Behind each parameter stand its default, its unit and what is allowed; parameters
marked *advanced* are folded away in the panel.

```sh
dynamic-mri-recon recon scan.h5 --method KEY --preset fast --set NAME=VALUE --output out.seq.nrrd
```
"""


def pages() -> dict[Path, str]:
    """Every page by its path: the list of methods, and one for each."""
    sys.path.insert(0, str(ROOT))
    from DynamicMRIReconLib.methods import registry

    return {PAGE: index(), **{FOLDER / f"{key}.md": page(one) for key, one in registry.all_methods().items()}}


def index() -> str:
    """The list of methods."""
    sys.path.insert(0, str(ROOT))
    from DynamicMRIReconLib.methods import registry

    methods = list(registry.all_methods().values())
    rows = [f"| [{m.title}](methods/{m.key}.md) | `{m.key}` | {_input(m)} |" for m in methods]
    table = "\n".join(["| method | key | input |", "|---|---|---|", *rows])
    return "\n".join([HEAD.strip(), "", table, ""])


def page(method: Any) -> str:
    """One method: what it does and minimises, input, parameters, presets, citation, how to call it."""
    one = {"kspace": "scan.h5", "series": "cine.seq.nrrd", "stacks": "axial.nii.gz coronal.nii.gz"}[method.input_kind]
    command = f"dynamic-mri-recon recon {one} --method {method.key} --preset fast --output out.seq.nrrd"
    called = f"```sh\n{command}\n```"
    back = "[All methods](../methods.md), with the symbols used here."
    return "\n\n".join([section(method).strip().replace("## ", "# ", 1), called, back]) + "\n"


def section(method: Any) -> str:
    """What a method says of itself."""
    described = inspect.cleandoc(type(method).__doc__ or "")
    paragraphs = [_wrapped(" ".join(part.split())) for part in _as_markdown(described).split("\n\n")]
    parts = [
        f"## {method.title}",
        _wrapped(method.description),
        *paragraphs,
        f"Key: `{method.key}`. Input: {_input(method)}.",
        "Parameters:" if method.Parameters.model_fields else "It has no parameters.",
    ]
    items = [_parameter(name, spec) for name, spec in _specifications(method)]
    if items:
        parts.append("\n".join(items))
    parts += ["Presets:", "\n".join(_presets(method)), _wrapped(f"Citation: {method.citation}")]
    return "\n".join(["", "\n\n".join(parts), ""])


def _input(method: Any) -> str:
    from DynamicMRIReconLib.methods.base import KIND_IN_WORDS

    return KIND_IN_WORDS[method.input_kind]


def _as_markdown(text: str) -> str:
    return text.replace("``", "`")


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _specifications(method: Any) -> Iterable[tuple[str, dict[str, Any]]]:
    """Name and JSON schema of each parameter; of several possible types the one that is not null."""
    schema = method.Parameters.model_json_schema()
    for name, spec in schema.get("properties", {}).items():
        options = spec.get("anyOf", [spec])
        main = next((option for option in options if option.get("type") != "null"), {})
        referred = schema.get("$defs", {}).get(main.get("$ref", "").rpartition("/")[2], {})
        nullable = any(option.get("type") == "null" for option in options)
        yield name, {**spec, **main, **referred, "description": spec.get("description", ""), "nullable": nullable}


def _parameter(name: str, spec: dict[str, Any]) -> str:
    unit = f" {spec['unit']}" if spec.get("unit") else ""
    details = [f"default `{_value(spec.get('default'))}`{unit}", *_allowed(spec)]
    if spec.get("nullable"):
        details.append("may be empty")
    if spec.get("advanced"):
        details.append("*advanced*")
    return _wrapped(f"`{name}` ({', '.join(details)}): {_as_markdown(spec['description'])}", "- ", "  ")


def _allowed(spec: dict[str, Any]) -> list[str]:
    if "enum" in spec:
        return ["one of " + ", ".join(f"`{_value(choice)}`" for choice in spec["enum"])]
    if "const" in spec:
        return [f"only `{_value(spec['const'])}`"]
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [f"{word} {spec[key]:g}" for key, word in words.items() if key in spec]
    if "multipleOf" in spec:
        limits.append(f"a multiple of {spec['multipleOf']:g}")
    kinds = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "string": "text"}
    kind = kinds.get(str(spec.get("type")), str(spec.get("type", "any value")))
    return [" ".join([kind, " and ".join(limits)]).strip()]


def _presets(method: Any) -> list[str]:
    known = [name for name in PRESET_ORDER if name in method.presets]
    names = known + [name for name in method.presets if name not in known]
    lines = []
    for name in names:
        values = ", ".join(f"`{key}={_value(value)}`" for key, value in method.presets[name].items())
        lines.append(_wrapped(f"`{name}`: {values or 'the defaults'}", "- ", "  "))
    return lines


def _value(value: Any) -> str:
    return value if isinstance(value, str) else "empty" if value is None else json.dumps(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True, help="rewrite the pages")
    parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for old in set(FOLDER.glob("*.md")) - set(written):
        old.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
