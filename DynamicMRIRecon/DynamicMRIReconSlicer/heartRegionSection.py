"""The heart's regions in section Method: found in the input and drawn in the views."""

from __future__ import annotations

from typing import Any

from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconSlicer import heartRegion, install
from DynamicMRIReconSlicer.heartPhaseSection import HeartPhaseSection
from DynamicMRIReconSlicer.inputSection import InputSection
from DynamicMRIReconSlicer.parameterForm import ParameterForm
from DynamicMRIReconSlicer.translation import tr as _


class HeartRegionSection:
    """Draws the boxes in which the cardiac figures are told.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    form
        The method's parameters: ``beats`` is taken from there.
    given
        The input.
    phase
        The section beside this one, which reads the input.
    requirementsPath
        Packages that finding them needs.
    """

    def __init__(
        self, ui: Any, form: ParameterForm, given: InputSection, phase: HeartPhaseSection, requirementsPath: str
    ) -> None:
        self.ui = ui
        self._form = form
        self._given = given
        self._phase = phase
        self._requirementsPath = requirementsPath
        self._shownFor: Any = None
        ui.showRegionsButton.clicked.connect(lambda *_: self.draw())
        self._say("")

    def show(self) -> None:
        """Bring the widgets in line with the input."""
        self.ui.showRegionsButton.setEnabled(self._given.kind() == "series")
        if self._shownFor != self._phase.inputKey():
            self._say("")

    def draw(self) -> dict[str, Any]:
        """Find the regions and show them as boxes; the nodes by rule, none where nothing was found."""
        try:
            install.ensure(self._requirementsPath)
            series = self._phase.series()
            boxes = heartRegion.find(series, self._form.values().get("beats"))
        except (install.NotInstalled, ReconError, OSError) as error:
            self._say(str(error))
            return {}
        title = self._phase.inputName()
        nodes = {rule: heartRegion.show(series, rule, box, title) for rule, box in boxes.items()}
        self._shownFor = self._phase.inputKey()
        self._say(self._words(boxes, series.geometry.spacing_mm))
        return nodes

    def stop(self) -> None:
        """The scene closes: its boxes go with it."""
        self._say("")

    def _words(self, boxes: dict[str, tuple[int, int, int, int]], spacing: Any) -> str:
        told = [
            _("Heart, {rule} ({colour}): {width:.0f} x {height:.0f} mm.").format(
                rule=heartRegion.RULES[rule],
                colour=heartRegion.COLOUR_NAMES[rule],
                width=(x1 - x0) * spacing[0],
                height=(y1 - y0) * spacing[1],
            )
            for rule, (x0, y0, x1, y1) in boxes.items()
        ]
        if "published" not in boxes:
            told.append(_("There is no published region: the first frame and the middle one are alike."))
        told.append(_("A box can be moved, and chosen under Compare with a reference for the figures of the heart."))
        return " ".join(told)

    def _say(self, text: str) -> None:
        self.ui.regionLabel.setText(text)
        self.ui.regionLabel.setVisible(bool(text))
