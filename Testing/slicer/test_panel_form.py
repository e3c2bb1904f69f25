"""What the panel shows before anything runs: sections, the form of each method, presets, why a button is disabled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import scans

from DynamicMRIReconLib import io
from DynamicMRIReconLib.methods import registry


def test_sections_are_there_in_order(panel: Any) -> None:
    import slicer

    buttons = [
        w for w in slicer.util.findChildren(panel.representation, className="QWidget") if hasattr(w, "collapsed")
    ]
    titles = {w.property("text"): w.property("collapsed") for w in buttons}
    assert {"Input", "Method", "Run", "Results", "Line profile"} <= set(titles)
    assert not any(titles[name] for name in ("Input", "Method", "Run"))
    assert titles["Log"] is True
    tops = [getattr(panel.ui, f"{name}CollapsibleButton") for name in ("input", "method", "run", "results", "profile")]
    panel.representation.adjustSize()
    heights = [w.mapTo(panel.representation, w.rect.topLeft()).y() for w in tops]
    assert heights == sorted(heights)


def test_every_method_is_offered(panel: Any) -> None:
    offered = [panel.ui.methodCombo.itemText(i) for i in range(panel.ui.methodCombo.property("count"))]
    assert sorted(offered) == sorted(method.title for method in registry.all_methods().values())


def test_a_fresh_panel_shows_a_method_for_k_space(panel: Any) -> None:
    assert panel.ui.methodCombo.property("currentText") == registry.get("cg-sense").title


def test_the_tab_key_goes_from_top_to_bottom(panel: Any) -> None:
    """Also through what is made later than the rest: the parameters of another method, the formats of the export."""
    import qt
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QWidget

    for button in panel.representation.findChildren(qt.QWidget):
        if hasattr(button, "collapsed"):
            button.setProperty("collapsed", False)
    panel.choose_method("st-inr")
    panel.representation.adjustSize()
    first = panel.ui.inputPathEdit
    chain, widget = [], first.nextInFocusChain()
    while widget is not first:
        if QWidget.focusPolicy(widget) & Qt.FocusPolicy.TabFocus and panel.representation.isAncestorOf(widget):
            chain.append(widget)
        widget = widget.nextInFocusChain()
    names = [one.property("objectName") for one in chain]
    editors = [f"parameter_{name}" for name in panel.widget.panel.method.form.fields]
    places = [min(i for i, name in enumerate(names) if name == one) for one in editors if one in names]
    assert len(places) >= 5
    assert places == sorted(places)
    assert names.index("resetButton") < places[0]
    assert places[-1] < names.index("deviceCombo") < names.index("reconstructButton") < names.index("drawLineButton")
    texts = [str(one.property("text")) for one in chain]
    assert names.index("useSettingsButton") < texts.index("DICOM folder") < names.index("exportButton")


def test_every_control_has_a_tool_tip(panel: Any) -> None:
    silent = [
        name
        for name, widget in vars(panel.ui).items()
        if name.endswith(("Combo", "Selector", "Edit", "Spin", "Button", "Check", "List", "Table", "Group"))
        and not name.endswith("CollapsibleButton")
        and not str(widget.property("toolTip") or "").strip()
    ]
    assert silent == []


def _keys() -> list[str]:
    return list(registry.all_methods())


@pytest.mark.parametrize("key", _keys())
def test_form_follows_the_methods_parameter_model(panel: Any, key: str) -> None:
    from DynamicMRIReconSlicer.parameterForm import ELSEWHERE

    panel.choose_method(key)
    for entry in registry.describe_parameters(registry.get(key)):
        editor = panel.parameter(entry["name"])
        if entry["name"] in ELSEWHERE:
            assert editor is None
            continue
        assert editor is not None, f"{entry['name']} has no field"
        tip = str(editor.property("toolTip"))
        assert entry["help"] in tip
        if entry["type"] in ("integer", "number"):
            if entry["minimum"] is not None:
                assert editor.property("minimum") == pytest.approx(entry["minimum"])
            if entry["maximum"] is not None:
                assert editor.property("maximum") == pytest.approx(entry["maximum"])
            if entry["unit"]:
                assert editor.property("suffix").strip() == entry["unit"]
            if entry["default"] is not None:
                assert editor.property("value") == pytest.approx(entry["default"])
        elif entry["type"] == "boolean":
            assert editor.isChecked() is entry["default"]
        elif entry["type"] == "choice":
            assert [editor.itemText(i) for i in range(editor.property("count"))] == [str(c) for c in entry["choices"]]


def test_form_changes_with_the_method(panel: Any) -> None:
    panel.choose_method("cg-sense")
    assert panel.parameter("iterations") is not None
    panel.choose_method("gridding")
    panel.host.app.processEvents()
    assert panel.parameter("iterations") is None


def test_presets_set_values_and_an_edit_makes_them_custom(panel: Any) -> None:
    panel.choose_method("cg-sense")
    presets = registry.get("cg-sense").presets
    combo = panel.ui.presetCombo
    combo.setCurrentIndex(combo.findText("Faithful"))
    assert panel.parameter("iterations").property("value") == presets["faithful"]["iterations"]
    panel.parameter("iterations").setValue(7)
    assert combo.property("currentText") == "Custom"
    panel.ui.resetButton.click()
    assert combo.property("currentText") == "Standard"
    assert panel.parameter("iterations").property("value") == 12


def test_reconstruct_is_disabled_with_a_reason_until_there_is_an_input(panel: Any, scan: Path) -> None:
    assert not panel.can_reconstruct()
    assert "Pick a sequence or a k-space file" in panel.why_not()
    panel.open_scan(scan)
    assert panel.ui.reconstructButton.isEnabled()
    panel.type_path(scan.with_name("missing.h5"))
    assert panel.wait(lambda: not panel.can_reconstruct(), 20)
    assert "missing.h5 does not exist" in panel.why_not()


def test_a_file_that_is_no_scan_is_named_with_the_reason(panel: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.h5"
    path.write_text("this is no HDF5 file")
    panel.type_path(path)
    assert panel.wait(lambda: "notes.h5" in panel.text("infoLabel"), 20), panel.text("infoLabel")
    assert not panel.can_reconstruct()
    assert "notes.h5" in panel.why_not()


def test_an_image_series_does_not_fit_a_kspace_method_unless_simulated(panel: Any, tmp_path: Path) -> None:
    path = io.write(tmp_path / "cine.seq.nrrd", scans.images())
    panel.choose_method("cg-sense")
    panel.type_path(path)
    assert panel.wait(lambda: "k-space" in panel.why_not() and not panel.can_reconstruct(), 20), panel.why_not()
    panel.ui.simulateGroup.setChecked(True)
    assert panel.wait(panel.can_reconstruct, 20), panel.why_not()


def test_the_file_is_described(panel: Any, scan: Path) -> None:
    panel.open_scan(scan)
    assert panel.wait(lambda: "6" in panel.text("infoLabel"), 20)
    info = panel.text("infoLabel")
    assert "frames" in info
    assert "32" in info


def test_what_a_run_needs_is_told_and_what_would_fit(panel: Any, scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from DynamicMRIReconLib.jobs import memory_limits

    panel.open_scan(scan)
    panel.choose_method("cg-sense")
    assert "Needs about" in panel.text("estimateLabel")
    assert "What fits" not in panel.text("estimateLabel")
    for name in ("total_bytes", "free_bytes"):
        monkeypatch.setattr(memory_limits, name, lambda device="cpu": 2**20)
    panel.widget.panel.update()
    assert "CG-SENSE needs about" in panel.text("estimateLabel")
    assert "a computer with more memory" in panel.text("estimateLabel")
    # another computer's memory is not known here
    panel.ui.runOnCombo.setCurrentIndex(1)
    panel.widget.panel.update()
    assert "CG-SENSE needs" not in panel.text("estimateLabel")
    assert "Needs about" in panel.text("estimateLabel")
