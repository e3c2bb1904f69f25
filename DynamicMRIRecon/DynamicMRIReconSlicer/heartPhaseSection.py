"""The heart's phase in section Method: found in the images, shown as a curve, corrected by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.util import VTKObservationMixin

from DynamicMRIReconLib.cardiac.phase import CardiacPhase, find_phase
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconSlicer import heartPhase, install, sequenceReader
from DynamicMRIReconSlicer.inputSection import InputSection
from DynamicMRIReconSlicer.parameterForm import ParameterForm
from DynamicMRIReconSlicer.translation import tr as _

DRAG_MS = 200
_SOURCES = {
    "user": _("as given"),
    "info file": _("from the file"),
    "trigger times": _("from the trigger times"),
    "images": _("from the images"),
    "assumed": _("assumed, since the images do not tell"),
}


class HeartPhaseSection(VTKObservationMixin):
    """Finds end diastole and end systole for methods that want them, and lets the user move them.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    form
        The method's parameters: ``ed_frame`` and ``es_frame`` stay automatic until the user moves a mark.
    given
        The input.
    changed
        Called when the user has moved a mark.
    requirementsPath
        Packages that finding it needs.
    """

    def __init__(
        self, ui: Any, form: ParameterForm, given: InputSection, changed: Callable[[], None], requirementsPath: str
    ) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self._form = form
        self._given = given
        self._changed = changed
        self._requirementsPath = requirementsPath
        self._quiet = False
        self._found: tuple[Any, CardiacPhase] | None = None
        # A mark that is dragged moves many times; it comes to rest on a frame when it is let go.
        self._dragged = qt.QTimer()
        self._dragged.setSingleShot(True)
        self._dragged.timeout.connect(self._takeMarks)
        ui.findPhaseButton.clicked.connect(lambda *_: self.find())
        self.show()

    def show(self) -> None:
        """Bring the widgets in line with the method, its parameters and the input."""
        wanted = set(heartPhase.EVENTS) <= set(self._form.fields)
        self.ui.phaseWidget.setVisible(wanted)
        self.ui.findPhaseButton.setEnabled(self._given.kind() == "series")
        if self._found is not None and self._found[0] != self.inputKey():
            self._forget()
        resting = not self._dragged.property("active")
        if wanted and resting and self._found is not None and heartPhase.marksShown() is not None:
            self._place()

    def find(self) -> CardiacPhase | None:
        """Find the phase, show the chart, and say what was found; None where that cannot be."""
        values = self._form.values()
        try:
            install.ensure(self._requirementsPath)
            series = self.series()
            info = values.get("info_file")
            given = {key: values.get(key) for key in (*heartPhase.EVENTS, "beats")}
            phase = find_phase(series, **given, info_file=Path(info) if info else None)
            if not len(phase.curve):
                raise InputError(_("Nothing moves in this series: no cardiac phase was found."))
        except (install.NotInstalled, ReconError, OSError) as error:
            self._forget()
            self._say(str(error))
            return None
        self._found = (self.inputKey(), phase)
        self._quiet = True
        marks = heartPhase.show(series.times_s, phase.curve, self._frames(), self.inputName())
        self._quiet = False
        if not self.hasObserver(marks, vtk.vtkCommand.ModifiedEvent, self._marksMoved):
            self.addObserver(marks, vtk.vtkCommand.ModifiedEvent, self._marksMoved)
        self._say(self._words())
        return phase

    def stop(self) -> None:
        """The scene closes: its chart goes with it."""
        self._dragged.stop()
        self._forget()

    def cleanup(self) -> None:
        """The panel goes: observe nothing."""
        self._dragged.stop()
        self.removeObservers()

    def series(self) -> ImageSeries:
        """The images of the input.

        Raises
        ------
        InputError
            It holds none, or a file cannot be read.
        """
        source = self._given.source()
        if isinstance(source, Path):
            return sequenceReader.seriesOfFile(source, **self._given.readOptions())
        return sequenceReader.toSeries(source)

    def inputName(self) -> str:
        """What the input is called."""
        source = self._given.source()
        return source.name if isinstance(source, Path) else str(source.GetName())

    def inputKey(self) -> Any:
        """What tells one input from another."""
        source = self._given.source()
        return source if source is None or isinstance(source, Path) else source.GetID()

    def _frames(self) -> dict[str, float]:
        """Where the marks belong: what the form says, else what was found."""
        assert self._found is not None
        values, last = self._form.values(), len(self._found[1].code) - 1
        found = {"ed_frame": self._found[1].ed_frame, "es_frame": self._found[1].es_frame}
        return {key: min(one if values[key] is None else values[key], last) for key, one in found.items()}

    def _place(self) -> None:
        self._quiet = True
        heartPhase.place(self._frames())
        self._quiet = False
        self._say(self._words())

    def _marksMoved(self, *_ignored: Any) -> None:
        if self._quiet or self._found is None or slicer.mrmlScene.IsClosing():
            return
        self._dragged.start(DRAG_MS)

    def _takeMarks(self, *_ignored: Any) -> None:
        marks = heartPhase.marksShown()
        if marks is None or self._found is None:
            return
        now = heartPhase.marked(marks)
        was = self._frames()
        moved = {key: frame for key, frame in now.items() if abs(frame - was[key]) >= 1}
        self._form.setValues(moved)
        self._place()
        if moved:
            self._changed()

    def _words(self) -> str:
        assert self._found is not None
        phase, frames, times_s = self._found[1], self._frames(), heartPhase.frameTimes()
        values, sources = self._form.values(), {"ed_frame": phase.ed_from, "es_frame": phase.es_from}
        names = {"ed_frame": _("End diastole"), "es_frame": _("End systole")}
        told = [
            _("{name}: frame {frame:g} ({time:.3f} s), {source}.").format(
                name=names[key],
                frame=round(frames[key], 1),
                time=times_s[round(frames[key])],
                source=_SOURCES["user" if values[key] is not None else sources[key]],
            )
            for key in heartPhase.EVENTS
        ]
        told.append(
            _("Heartbeats in {frames} frames: {count:g}.").format(count=round(phase.beats, 2), frames=len(times_s))
        )
        if not phase.is_cyclic:
            told.append(_("The last frame does not lead back to the first."))
        told.append(_("Drag the marks in the chart, or set the frames above."))
        return " ".join(told)

    def _forget(self) -> None:
        self._found = None
        self._say("")

    def _say(self, text: str) -> None:
        self.ui.phaseLabel.setText(text)
        self.ui.phaseLabel.setVisible(bool(text))
