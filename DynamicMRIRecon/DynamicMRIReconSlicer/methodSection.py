"""Section Method: which one, its preset and parameters, and what it will cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from DynamicMRIReconSlicer import costEstimate, methodList, methodSuggestion, tabOrder, texts
from DynamicMRIReconSlicer.parameterForm import CUSTOM, ParameterForm
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.translation import tr as _

DEFAULT_METHOD = "cg-sense"


class MethodSection:
    """Knows how to reconstruct.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    changed
        Called whenever the method or a parameter changes.
    """

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        self.ui = ui
        self._changed = changed
        self.methods = methodList.methods()
        self._form = ParameterForm(ui.parameterContainer, ui.presetCombo, self._edited)
        self._kept: dict[str, dict[str, Any]] = {}
        ui.methodCombo.blockSignals(True)
        for index, method in enumerate(self.methods):
            ui.methodCombo.addItem(method["title"], method["key"])
            ui.methodCombo.setItemData(index, _tooltip(method), qt.Qt.ToolTipRole)
        self.setMethod(DEFAULT_METHOD)
        ui.methodCombo.blockSignals(False)
        ui.methodCombo.currentIndexChanged.connect(self._methodPicked)
        # The user's own choice, also of the method that is shown already: then no suggestion takes its place.
        ui.methodCombo.activated.connect(self._methodChosen)
        ui.useSuggestionButton.clicked.connect(self._useSuggestion)
        ui.resetButton.clicked.connect(lambda *_: self._form.reset())
        self._shown: str | None = None
        self._chosen = self._suggesting = False
        self._suggested: str | None = None
        self.suggest(None)
        self._show()

    @property
    def method(self) -> dict[str, Any]:
        """The picked method's description."""
        return self.methods[max(0, self.ui.methodCombo.property("currentIndex"))]

    @property
    def form(self) -> ParameterForm:
        """The form of its parameters."""
        return self._form

    def setMethod(self, key: str) -> None:
        """Pick a method by its key; unknown keys change nothing."""
        keys = [method["key"] for method in self.methods]
        if key in keys:
            self.ui.methodCombo.setCurrentIndex(keys.index(key))

    def setReasons(self, reasons: dict[str, str | None]) -> None:
        """Grey the methods that cannot be used now; their tool tip says why."""
        for index, method in enumerate(self.methods):
            reason = reasons.get(method["key"])
            flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
            # The role in which Qt's standard items keep their flags.
            self.ui.methodCombo.setItemData(index, 0 if reason else _number(flags), qt.Qt.UserRole - 1)
            text = (
                _("Not now: {reason}\n{tooltip}").format(reason=reason, tooltip=_tooltip(method))
                if reason
                else _tooltip(method)
            )
            self.ui.methodCombo.setItemData(index, text, qt.Qt.ToolTipRole)

    def suggest(self, description: dict[str, Any] | None) -> None:
        """Say which method to try first for this input; pick it where the user has picked none yet."""
        found = methodSuggestion.suggest(description, self.methods)
        self._suggested = found[0] if found is not None else None
        if found is not None and not self._chosen:
            self._suggesting = True
            self.setMethod(found[0])
            self._suggesting = False
        title = next((one["title"] for one in self.methods if one["key"] == self._suggested), "")
        other = self._suggested is not None and self._suggested != self.method["key"]
        text = (
            _("Suggested: {title}. {found}").format(title=title, found=found[1])
            if other and found is not None
            else found[1]
            if found
            else ""
        )
        self.ui.suggestionLabel.setText(text)
        self.ui.suggestionWidget.setVisible(bool(text))
        self.ui.useSuggestionButton.setVisible(other)

    def preset(self) -> str:
        """A preset that the library knows; values put over it make it exact."""
        name = self._form.preset()
        return "standard" if name == CUSTOM else name

    def values(self) -> dict[str, Any]:
        """Every parameter's value."""
        return self._form.values()

    def problem(self) -> str | None:
        """What is wrong with the parameters."""
        return methodList.problem(self.method["key"], self.values())

    def showEstimate(self, description: dict[str, Any] | None, device: str) -> None:
        """Say what the run will need, as far as it can be told; ``device`` is empty for another computer's."""
        cost = costEstimate.estimate(self.method["key"], self.values(), description, device, self.preset())
        if cost is None:
            self.ui.estimateLabel.setText("")
            self.ui.estimateLabel.setVisible(False)
            return
        text = _("Needs about {size} of memory and {duration} (rough estimate).").format(
            size=texts.size(cost.memory), duration=texts.duration(cost.seconds)
        )
        self.ui.estimateLabel.setText(f"{text} {cost.shortage}".strip())
        self.ui.estimateLabel.setVisible(True)

    def save(self, settings: SceneSettings) -> None:
        """Keep the method, and the values of every method that was changed, in the scene."""
        self._remember()
        settings.set("Method", self.method["key"])
        settings.set("MethodChosen", self._chosen)
        for key, values in self._kept.items():
            settings.set(f"Parameters.{key}", values)

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self._kept = {}
        for method in self.methods:
            values = settings.get(f"Parameters.{method['key']}")
            if isinstance(values, dict):
                self._kept[method["key"]] = values
        self._shown = None
        # Scenes from before there were suggestions keep their method.
        self._chosen = bool(settings.get("MethodChosen", settings.get("Method") is not None))
        self.ui.methodCombo.blockSignals(True)
        self.setMethod(settings.get("Method", DEFAULT_METHOD))
        self.ui.methodCombo.blockSignals(False)
        self._show()

    def _remember(self) -> None:
        if self._shown is not None:
            self._kept[self._shown] = self._form.values()

    def _methodChosen(self, *_: Any) -> None:
        self._chosen = True
        self._changed()

    def _useSuggestion(self, *_: Any) -> None:
        if self._suggested is not None:
            self._chosen = True
            self.setMethod(self._suggested)
            self._changed()

    def _methodPicked(self, *_: Any) -> None:
        self._chosen = self._chosen or not self._suggesting
        self._remember()
        self._show()
        self._changed()

    def _show(self) -> None:
        method = self.method
        self._form.setMethod(method)
        self._shown = method["key"]
        editors = [field.widget for field in self._form.fields.values()]
        tabOrder.insert(self.ui.resetButton, editors, self.ui.findPhaseButton)
        if method["key"] in self._kept:
            self._form.setValues(self._kept[method["key"]])
        self.ui.methodDescriptionLabel.setText(method["description"])
        self.ui.methodDescriptionLabel.setToolTip(method["citation"])
        self.ui.methodCombo.setToolTip(_tooltip(method))

    def _edited(self) -> None:
        self._changed()


def _number(flags: Any) -> int:
    """Qt flags as a number; PySide6 has a class for them."""
    return int(getattr(flags, "value", flags))


def _tooltip(method: dict[str, Any]) -> str:
    return f"{method['title']}\n{method['description']}\n{method['citation']}"
