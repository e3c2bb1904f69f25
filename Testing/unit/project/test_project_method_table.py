"""docs/methods.md and the pages of the methods say what the registered methods declare."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, ClassVar, Literal

from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Method, Parameters, parameter

ROOT = Path(__file__).resolve().parents[3]
spec = importlib.util.spec_from_file_location("method_table", ROOT / "Testing" / "method_table.py")
assert spec is not None
assert spec.loader is not None
method_table = importlib.util.module_from_spec(spec)
spec.loader.exec_module(method_table)


def test_the_pages_are_up_to_date() -> None:
    found = [method_table.PAGE, *method_table.FOLDER.glob("*.md")]
    written = {path: path.read_text(encoding="utf-8") for path in found}
    assert written == method_table.pages(), "docs/methods is outdated: run `make lists`"


def test_every_method_is_there_with_all_that_it_declares() -> None:
    pages = method_table.pages()
    for key, method in registry.all_methods().items():
        section = pages[method_table.FOLDER / f"{key}.md"]
        assert f"[{method.title}](methods/{key}.md) | `{key}` |" in pages[method_table.PAGE]
        assert f"--method {key} " in section
        assert " ".join(method.citation.split()) in " ".join(section.split())
        for name in method.Parameters.model_fields:
            assert f"- `{name}` (default `" in section
        for preset in method.presets:
            assert f"- `{preset}`: " in section
    assert max(len(line) for page in pages.values() for line in page.splitlines()) <= 120


class _Parameters(Parameters):
    steps: int = parameter(3, "How often.", ge=1, lt=10, unit="rounds")
    share: float | None = parameter(None, "Of all.", gt=0.0, le=1.0, advanced=True)
    way: Literal["up", "down"] = parameter("up", "Where to.")
    bold: bool = parameter(False, "Whether.")


class _Invented(Method):
    """``min_x |x - y|^2``, in one paragraph.

    And another.
    """

    key, title, description, citation = "invented", "In (vented)", "Does nothing.", "A. Nobody. Never."
    input_kind = "series"
    Parameters = _Parameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {"own": {"way": "down"}, "standard": {}, "fast": {"steps": 1}}

    def estimate(self, data: Any, parameters: Any, device: str) -> Any:
        raise NotImplementedError

    def run(self, data: Any, parameters: Any, context: Any) -> Any:
        raise NotImplementedError


def test_a_section_follows_the_declarations() -> None:
    assert method_table.section(_Invented()) == (
        "\n## In (vented)\n\nDoes nothing.\n\n`min_x |x - y|^2`, in one paragraph.\n\nAnd another.\n\n"
        "Key: `invented`. Input: an image series.\n\nParameters:\n\n"
        "- `steps` (default `3` rounds, whole number at least 1 and below 10): How often.\n"
        "- `share` (default `empty`, number above 0 and at most 1, may be empty, *advanced*): Of all.\n"
        "- `way` (default `up`, one of `up`, `down`): Where to.\n"
        "- `bold` (default `false`, `true` or `false`): Whether.\n\n"
        "Presets:\n\n- `fast`: `steps=1`\n- `standard`: the defaults\n- `own`: `way=down`\n\n"
        "Citation: A. Nobody. Never.\n"
    )
