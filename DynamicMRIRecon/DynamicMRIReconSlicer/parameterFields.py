"""One editable field for one parameter of a method: the widget that fits its type, range and unit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import qt

from DynamicMRIReconSlicer.translation import tr as _

_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT = 1e12
NONE_TEXT = "automatic"


class Field:
    """The widget of one parameter and how its value gets in and out.

    Parameters
    ----------
    entry
        The parameter's description from the registry: name, type, default, minimum, maximum, choices, nullable, unit,
        help.
    changed
        Called when the user changes the value.
    """

    def __init__(self, entry: dict[str, Any], changed: Callable[[], None]) -> None:
        self.entry = entry
        self.name: str = entry["name"]
        self._changed = changed
        self._quiet = False
        self._none: Any = None
        self.editor = self._makeEditor()
        self.editor.setToolTip(tooltip(entry))
        self.editor.setProperty("objectName", f"parameter_{self.name}")
        self.widget = self._withNone() if entry["nullable"] else self.editor

    def current(self) -> Any:
        """The value as the registry takes it: bool, int, float, text, list, or None."""
        if self._none is not None and self._none.property("checked"):
            return None
        kind = self.entry["type"]
        if kind == "boolean":
            return bool(self.editor.property("checked"))
        if kind == "choice":
            return self.entry["choices"][self.editor.property("currentIndex")]
        if kind in ("integer", "number"):
            number = self.editor.property("value")
            return int(number) if kind == "integer" else float(number)
        text = self.editor.property("text").strip()
        if kind in ("array", "object"):
            return _parsed(text)
        return text

    def setValue(self, value: Any) -> None:
        """Show ``value`` without calling ``changed``."""
        self._quiet = True
        try:
            if self._none is not None:
                self._none.setChecked(value is None)
                self.editor.setEnabled(value is not None)
            if value is not None:
                self._show(value)
        finally:
            self._quiet = False

    def _show(self, value: Any) -> None:
        kind = self.entry["type"]
        if kind == "boolean":
            self.editor.setChecked(bool(value))
        elif kind == "choice":
            if value in self.entry["choices"]:
                self.editor.setCurrentIndex(self.entry["choices"].index(value))
        elif kind == "integer":
            self.editor.setValue(int(value))
        elif kind == "number":
            # Never show a value rounded to something else.
            self.editor.setDecimals(max(int(self.editor.property("decimals")), decimalsFor(float(value))))
            self.editor.setValue(float(value))
        else:
            self.editor.setText(value if isinstance(value, str) else json.dumps(value).strip("[]"))

    def _makeEditor(self) -> Any:
        kind = self.entry["type"]
        if kind == "boolean":
            editor = qt.QCheckBox()
            editor.toggled.connect(self._edited)
        elif kind == "choice":
            editor = qt.QComboBox()
            for choice in self.entry["choices"]:
                editor.addItem(str(choice))
            editor.currentIndexChanged.connect(self._edited)
        elif kind in ("integer", "number"):
            editor = self._makeSpin(kind)
            editor.valueChanged.connect(self._edited)
        else:
            editor = qt.QLineEdit()
            editor.textChanged.connect(self._edited)
        return editor

    def _makeSpin(self, kind: str) -> Any:
        low, high, default = self.entry["minimum"], self.entry["maximum"], self.entry["default"]
        if kind == "integer":
            spin = qt.QSpinBox()
            spin.setRange(
                -_LARGEST_INT if low is None else max(int(low), -_LARGEST_INT),
                _LARGEST_INT if high is None else min(int(high), _LARGEST_INT),
            )
        else:
            spin = qt.QDoubleSpinBox()
            known = [abs(float(number)) for number in (default, low) if number]
            spin.setDecimals(max([2, *(decimalsFor(number) + 1 for number in known)]))
            spin.setRange(
                -_LARGEST_FLOAT if low is None else float(low), _LARGEST_FLOAT if high is None else float(high)
            )
            if default:
                spin.setSingleStep(10.0 ** math.floor(math.log10(abs(float(default)))))
        if self.entry["unit"]:
            spin.setSuffix(f" {self.entry['unit']}")
        # The wheel scrolls the panel; it must not change numbers on the way.
        spin.setFocusPolicy(qt.Qt.StrongFocus)
        spin.setKeyboardTracking(False)
        return spin

    def _withNone(self) -> Any:
        row = qt.QWidget()
        layout = qt.QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        self._none = qt.QCheckBox(NONE_TEXT)
        self._none.setToolTip(tooltip(self.entry))
        self._none.setProperty("objectName", f"parameter_{self.name}_none")
        self._none.toggled.connect(self._noneToggled)
        layout.addWidget(self.editor, 1)
        layout.addWidget(self._none)
        return row

    def _noneToggled(self, *_: Any) -> None:
        self.editor.setEnabled(not self._none.property("checked"))
        self._edited()

    def _edited(self, *_: Any) -> None:
        if not self._quiet:
            self._changed()


def tooltip(entry: dict[str, Any]) -> str:
    """Help, range, unit and default in one text."""
    low, high = entry["minimum"], entry["maximum"]
    parts = [entry["help"] or entry["title"]]
    if low is not None and high is not None:
        parts.append(_("Range: {low:g} to {high:g}").format(low=low, high=high))
    elif low is not None:
        parts.append(_("At least {low:g}").format(low=low))
    elif high is not None:
        parts.append(_("At most {high:g}").format(high=high))
    if entry["unit"]:
        parts.append(_("Unit: {unit}").format(unit=entry["unit"]))
    default = NONE_TEXT if entry["default"] is None else entry["default"]
    parts.append(_("Default: {default}").format(default=default))
    return "\n".join(parts)


def decimalsFor(value: float) -> int:
    """Digits after the point that show ``value`` unrounded, 15 at most."""
    text = f"{value:.15f}".rstrip("0") if abs(value) < 1e-4 else repr(float(value))
    return min(15, len(text.partition(".")[2].rstrip("0"))) if "e" not in text else 0


def _parsed(text: str) -> Any:
    """``1, 2, 3`` or JSON to a value; anything else stays text, which the library then refuses by name."""
    for candidate in (text, f"[{text}]"):
        try:
            return json.loads(candidate) if candidate.startswith(("[", "{")) else json.loads(f"[{candidate}]")
        except ValueError:
            continue
    return text
