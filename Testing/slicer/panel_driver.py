"""Uses the panel as a person would: types a path, picks a method, presses buttons, looks at what is shown."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import qt
import slicer
from PySide6.QtCore import QElapsedTimer, QTimer

MODULE_FILE = Path(__file__).resolve().parents[2] / "DynamicMRIRecon" / "DynamicMRIRecon.py"
#: nothing here is timed: a busy computer takes as long as it takes
RUN_TIMEOUT_S = 600.0


class Heartbeat:
    """Longest time in seconds that the event loop did not come round, measured by a 5 ms timer."""

    def __init__(self) -> None:
        self.longest_gap_s = 0.0
        self._clock, self._timer = QElapsedTimer(), QTimer()
        self._timer.timeout.connect(self._beat)

    def _beat(self) -> None:
        self.longest_gap_s = max(self.longest_gap_s, self._clock.nsecsElapsed() / 1e9)
        self._clock.restart()

    def __enter__(self) -> Heartbeat:
        self._clock.start()
        self._timer.start(5)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._timer.stop()


class PanelDriver:
    """One open panel of the real module file."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.module = slicer.modules.dynamicmrirecon
        self.module.forget_widget()
        self.representation = self.module.widgetRepresentation()
        self.widget = self.representation.self()
        self.widget.enter()
        self.ui, self.logic = self.widget.ui, self.widget.logic

    def close(self) -> None:
        self.widget.exit()
        self.widget.cleanup()
        self.module.forget_widget()
        self.representation.deleteLater()
        self.host.app.processEvents()

    def wait(self, condition: Any, timeout_s: float = RUN_TIMEOUT_S) -> bool:
        return self.host.wait_until(condition, timeout_s)

    def text(self, name: str) -> str:
        widget = getattr(self.ui, name)
        return str(widget.property("plainText" if isinstance(widget, qt.QPlainTextEdit) else "text"))

    def can_reconstruct(self) -> bool:
        return self.ui.reconstructButton.isEnabled()

    def why_not(self) -> str:
        return str(self.ui.reconstructButton.property("toolTip"))

    def type_path(self, path: Path) -> None:
        self.ui.inputPathEdit.setCurrentPath(str(path))

    def open_scan(self, path: Path) -> None:
        """Type the path and wait until the panel says that it can reconstruct it."""
        self.type_path(path)
        assert self.wait(self.can_reconstruct, 30), f"still disabled: {self.why_not()}; {self.text('infoLabel')}"

    def choose_method(self, key: str) -> None:
        from DynamicMRIReconLib.methods import registry

        index = self.ui.methodCombo.findText(registry.get(key).title)
        assert index >= 0, f"{key} is not offered"
        self.ui.methodCombo.setCurrentIndex(index)
        # What a person does, also where it is the one that is shown.
        self.ui.methodCombo.activated.emit(index)

    def parameter(self, name: str) -> Any:
        """The editor of one parameter in the method's form."""
        return self.ui.parameterContainer.findChild(qt.QObject, f"parameter_{name}")

    def press_reconstruct(self) -> None:
        assert self.can_reconstruct(), self.why_not()
        self.ui.reconstructButton.click()

    def running(self) -> bool:
        return bool(self.logic.runs)

    def worker_pid(self) -> int:
        """Process number of the worker, once it has reported progress."""
        assert self.wait(lambda: self.running() and self.ui.progressBar.property("value") > 0, 60), self.shown()
        return int(self.logic.runs[0].pid)

    def wait_for_end(self) -> None:
        assert self.wait(lambda: not self.running()), f"still running: {self.shown()}"
        self.host.app.processEvents()

    def reconstruct(self) -> Any:
        """Press the button, wait, and return the new sequence."""
        before = set(slicer.util.getNodesByClass("vtkMRMLSequenceNode"))
        self.press_reconstruct()
        self.wait_for_end()
        new = [node for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode") if node not in before]
        assert len(new) == 1, self.shown()
        return new[0]

    def results(self) -> list[list[str]]:
        """What the table of results shows, row by row; columns that are hidden are left out."""
        table = self.ui.resultsTable
        shown = [column for column in range(table.property("columnCount")) if not table.isColumnHidden(column)]
        rows = range(table.property("rowCount"))
        return [[str(table.item(row, column).data(qt.Qt.DisplayRole)) for column in shown] for row in rows]

    def pick_result(self, sequence: Any) -> None:
        """Click its row."""
        table = self.ui.resultsTable
        for row in range(table.property("rowCount")):
            if table.item(row, 0).data(qt.Qt.UserRole) == sequence.GetID():
                table.selectRow(row)
                table.itemClicked.emit(table.item(row, 0))
                return
        raise AssertionError(f"{sequence.GetName()} is not in the table: {self.results()}")

    def error_shown(self) -> str:
        hidden = self.ui.errorLabel.isHidden()
        return "" if hidden else self.text("errorLabel")

    def shown(self) -> str:
        return f"status {self.text('statusLabel')!r}, error {self.text('errorLabel')!r}, log {self.text('logText')!r}"
