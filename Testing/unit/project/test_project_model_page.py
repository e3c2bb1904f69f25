"""docs/models.md says what the model cards say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from DynamicMRIReconLib.models import places
from DynamicMRIReconLib.models.card import read_card

ROOT = Path(__file__).resolve().parents[3]
spec = importlib.util.spec_from_file_location("model_page", ROOT / "Testing" / "model_page.py")
assert spec is not None
assert spec.loader is not None
model_page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model_page)


def test_the_page_is_up_to_date() -> None:
    assert model_page.PAGE.read_text(encoding="utf-8") == model_page.page(), (
        "docs/models.md is outdated: run `make lists`"
    )


def test_every_model_is_installed_with_the_extension_and_the_package() -> None:
    cmake = (ROOT / "DynamicMRIReconLib" / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "Resources/Models" in cmake
    assert places.FOLDERS[1] == ROOT / "DynamicMRIReconLib" / "Resources" / "Models"
    for name, path in places.shipped().items():
        card = read_card(places.card_of(path))
        assert f"`{name}`" in model_page.page()
        assert card.sha256 in model_page.page()
