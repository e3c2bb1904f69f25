"""The generated form: every kind of parameter in and out unchanged, presets, ranges, units."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slicer


def entry(name: str, kind: str, default: Any, **rest: Any) -> dict[str, Any]:
    common = {"minimum": None, "maximum": None, "choices": None, "nullable": False, "unit": "", "advanced": False}
    return {"name": name, "title": name, "type": kind, "default": default, "help": f"help of {name}", **common, **rest}


METHOD = {
    "key": "made-up",
    "presets": {"fast": {"iterations": 5}, "standard": {}, "faithful": {"weight": 1e-5, "size_mm": [1.0, 1.0, 2.0]}},
    "parameters": [
        entry("iterations", "integer", 12, minimum=1, maximum=500),
        entry("weight", "number", 0.001, minimum=0, unit="mm"),
        entry("on", "boolean", True),
        entry("kind", "choice", "b", choices=["a", "b", "c"]),
        entry("limit", "number", None, nullable=True, minimum=0.5, maximum=8, advanced=True),
        entry("size_mm", "array", [1.5, 1.5, 3.0]),
        entry("model", "string", "standard"),
    ],
}


@pytest.fixture
def form(slicer_application: Any) -> Any:
    import qt
    from DynamicMRIReconSlicer.parameterForm import ParameterForm

    changes: list[int] = []
    # The panel owns these two; here the fixture does, until the test is over.
    container, presets = qt.QWidget(), qt.QComboBox()
    made = ParameterForm(container, presets, lambda: changes.append(1))
    made.changes = changes
    made.setMethod(METHOD)
    yield made
    container.deleteLater()
    presets.deleteLater()


def test_it_starts_at_the_standard_preset(form: Any) -> None:
    assert form.values() == {parameter["name"]: parameter["default"] for parameter in METHOD["parameters"]}
    assert form.preset() == "standard"
    assert form.changes == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iterations", 77),
        ("weight", 1.2345e-7),
        ("weight", 0.1),
        ("on", False),
        ("kind", "c"),
        ("limit", 2.5),
        ("limit", None),
        ("size_mm", [0.8, 0.8, 2.25]),
        ("model", "my model, v2"),
    ],
)
def test_values_come_back_unchanged(form: Any, name: str, value: Any) -> None:
    form.setValues({name: value})
    assert form.values()[name] == value
    assert type(form.values()[name]) is type(value)
    assert form.changes == [], "showing a value must not look like a user's edit"


def test_presets_set_every_value_and_other_values_are_custom(form: Any) -> None:
    form.setPreset("faithful")
    assert form.values()["weight"] == 1e-5
    assert form.values()["iterations"] == 12
    assert form.preset() == "faithful"
    form.setPreset("fast")
    assert form.values()["weight"] == 0.001
    form.fields["iterations"].editor.setValue(6)
    assert form.preset() == "custom"
    assert form.changes
    form.reset()
    assert form.preset() == "standard"


def test_ranges_units_and_help_are_shown(form: Any) -> None:
    iterations, weight = form.fields["iterations"].editor, form.fields["weight"].editor
    assert (iterations.property("minimum"), iterations.property("maximum")) == (1, 500)
    assert weight.property("suffix") == " mm"
    tip = form.fields["weight"].editor.property("toolTip")
    for part in ("help of weight", "At least 0", "mm", "Default: 0.001"):
        assert part in tip


def test_automatic_switches_the_editor_off(form: Any) -> None:
    field = form.fields["limit"]
    assert not field.editor.isEnabled()
    form.setValues({"limit": 3.0})
    assert field.editor.isEnabled()


def test_nonsense_in_a_list_is_handed_on_for_the_library_to_refuse(form: Any) -> None:
    form.fields["size_mm"].editor.setText("one, two")
    assert form.values()["size_mm"] == "one, two"


def test_changing_the_method_replaces_the_fields(form: Any) -> None:
    form.setMethod({"key": "other", "presets": {"standard": {}}, "parameters": [entry("scale", "integer", 2)]})
    assert form.values() == {"scale": 2}
    form.setMethod({"key": "none", "presets": {"standard": {}}, "parameters": []})
    assert form.values() == {}


def test_mmode_columns_are_evenly_spaced_in_time(slicer_application: Any) -> None:
    import numpy as np
    from DynamicMRIReconSlicer.mmodeImage import columnFrames

    np.testing.assert_array_equal(columnFrames(np.arange(5) * 0.04), np.arange(5))
    # A gap as long as two frames more takes the place of two columns more.
    columns = columnFrames(np.array([0.0, 1.0, 4.0, 5.0]))
    assert len(columns) == 6
    assert columns[0] == 0
    assert columns[-1] == 3
    np.testing.assert_array_equal(np.unique(columns), np.arange(4))
    np.testing.assert_array_equal(columnFrames(np.array([0.0])), [0])
