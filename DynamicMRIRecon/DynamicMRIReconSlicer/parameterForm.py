"""The form of a method's parameters, made from the method's own description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ctk
import qt

from DynamicMRIReconSlicer import methodList
from DynamicMRIReconSlicer.parameterFields import Field, tooltip
from DynamicMRIReconSlicer.translation import tr as _

CUSTOM = "custom"
#: parameters that another section of the panel sets
ELSEWHERE = ("fixed_stack",)


class ParameterForm:
    """Fills a container widget with one row a parameter; those marked advanced are folded away.

    Parameters
    ----------
    container
        An empty QWidget that the form becomes the content of.
    presetCombo
        QComboBox that offers the method's presets, and ``custom`` while the values are none of them.
    changed
        Called whenever the user changes a value or a preset.
    """

    def __init__(self, container: Any, presetCombo: Any, changed: Callable[[], None]) -> None:
        self._layout = qt.QVBoxLayout(container)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._presetCombo = presetCombo
        self._changed = changed
        self._method: dict[str, Any] | None = None
        self._body: Any = None
        self.fields: dict[str, Field] = {}
        presetCombo.currentIndexChanged.connect(self._presetPicked)

    def setMethod(self, method: dict[str, Any]) -> None:
        """Show the parameters of ``method`` at its standard preset."""
        self._method = method
        self.fields = {}
        if self._body is not None:
            self._layout.removeWidget(self._body)
            self._body.setParent(None)
            self._body.deleteLater()
        self._body = qt.QWidget()
        body = qt.QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        offered = [entry for entry in method["parameters"] if entry["name"] not in ELSEWHERE]
        plain = [entry for entry in offered if not entry["advanced"]]
        advanced = [entry for entry in offered if entry["advanced"]]
        if plain:
            body.addLayout(self._rows(plain))
        if advanced:
            fold = ctk.ctkCollapsibleButton()
            fold.setProperty("text", _("Advanced parameters"))
            fold.setProperty("collapsed", True)
            fold.setLayout(self._rows(advanced))
            body.addWidget(fold)
        if not method["parameters"]:
            body.addWidget(qt.QLabel(_("This method has no parameters.")))
        self._layout.addWidget(self._body)
        self._fillPresets()
        self.setPreset("standard" if "standard" in method["presets"] else methodList.presetNames(method)[0])

    def values(self) -> dict[str, Any]:
        """Every parameter's value by name."""
        return {name: field.current() for name, field in self.fields.items()}

    def setValues(self, values: dict[str, Any]) -> None:
        """Show values by name; names that the method does not have are left out."""
        for name, value in values.items():
            if name in self.fields:
                self.fields[name].setValue(value)
        self._showPreset()

    def preset(self) -> str:
        """The preset that the values are, or ``custom``."""
        assert self._method is not None
        values = self.values()
        for name in methodList.presetNames(self._method):
            wanted = methodList.presetValues(self._method, name)
            if all(_same(values[key], wanted[key]) for key in values):
                return name
        return CUSTOM

    def setPreset(self, name: str) -> None:
        """Set every value to the preset's; ``custom`` changes nothing."""
        assert self._method is not None
        if name in self._method["presets"]:
            self.setValues(methodList.presetValues(self._method, name))

    def reset(self) -> None:
        """Back to the standard preset."""
        self.setPreset("standard")
        self._changed()

    def _rows(self, entries: list[dict[str, Any]]) -> Any:
        layout = qt.QFormLayout()
        layout.setRowWrapPolicy(qt.QFormLayout.WrapLongRows)
        layout.setFieldGrowthPolicy(qt.QFormLayout.AllNonFixedFieldsGrow)
        for entry in entries:
            field = Field(entry, self._edited)
            self.fields[entry["name"]] = field
            label = qt.QLabel(f"{entry['title']}:")
            label.setToolTip(tooltip(entry))
            layout.addRow(label, field.widget)
        return layout

    def _fillPresets(self) -> None:
        assert self._method is not None
        self._presetCombo.blockSignals(True)
        self._presetCombo.clear()
        for name in [*methodList.presetNames(self._method), CUSTOM]:
            self._presetCombo.addItem(name.capitalize(), name)
        self._presetCombo.blockSignals(False)

    def _showPreset(self) -> None:
        assert self._method is not None
        names = [*methodList.presetNames(self._method), CUSTOM]
        self._presetCombo.blockSignals(True)
        self._presetCombo.setCurrentIndex(names.index(self.preset()))
        self._presetCombo.blockSignals(False)

    def _presetPicked(self, *_: Any) -> None:
        if self._method is None:
            return
        names = [*methodList.presetNames(self._method), CUSTOM]
        self.setPreset(names[self._presetCombo.property("currentIndex")])
        self._changed()

    def _edited(self) -> None:
        self._showPreset()
        self._changed()


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, float) and isinstance(second, (int, float)):
        return abs(first - second) <= 1e-9 * max(1e-6, abs(second))
    return bool(first == second)
