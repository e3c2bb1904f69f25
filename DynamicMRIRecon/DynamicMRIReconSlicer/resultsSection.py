"""Section Results: the history of reconstructions in the scene, shown, played and repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from DynamicMRIReconSlicer import history, layout, results, sequences
from DynamicMRIReconSlicer.translation import tr as _

_COLUMNS = (
    _("Result"), _("Settings"), _("Time (s)"), _("PSNR (dB)"), _("SSIM"), _("CardiacPSNR (dB)"), _("CardiacSSIM"),
    _("Misfit (%)"), _("Warnings"),
)  # fmt: skip
_NAME, _SETTINGS, _TIME, _PSNR, _SSIM, _HEART_PSNR, _HEART_SSIM, _MISFIT, _WARNINGS = range(len(_COLUMNS))
#: figures against a reference or the measured data: their columns are hidden while no result has them
_FIGURES = {
    _PSNR: "psnr_db",
    _SSIM: "ssim",
    _HEART_PSNR: "cardiac_psnr_db",
    _HEART_SSIM: "cardiac_ssim",
    _MISFIT: "unexplained",
}
_DIGITS = {_TIME: 1, _PSNR: 2, _SSIM: 3, _HEART_PSNR: 2, _HEART_SSIM: 3, _MISFIT: 1, _WARNINGS: 0}


class ResultsSection:
    """Lists what this module made; follows the scene, so that loaded and deleted results are right too.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    picked
        Called when another result is picked.
    trust
        Called with the picked result's sequence when its trust view shall be shown.
    repeat
        Called with the picked result's sequence when its settings shall be used, and whether to start at once.
    """

    def __init__(
        self,
        ui: Any,
        picked: Callable[[], None],
        trust: Callable[[Any], None],
        repeat: Callable[[Any, bool], None],
    ) -> None:
        self.ui = ui
        self._picked = picked
        self._trust = trust
        self._repeat = repeat
        self._current: str | None = None
        table = ui.resultsTable
        table.setColumnCount(len(_COLUMNS))
        table.setHorizontalHeaderLabels(list(_COLUMNS))
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSortingEnabled(True)
        table.verticalHeader().setVisible(False)
        table.itemSelectionChanged.connect(self._selected)
        table.itemClicked.connect(self._show)
        ui.showResultButton.clicked.connect(self._show)
        ui.playResultButton.clicked.connect(self._play)
        ui.trustButton.clicked.connect(self._trustClicked)
        ui.repeatButton.clicked.connect(lambda *_: self._again(True))
        ui.useSettingsButton.clicked.connect(lambda *_: self._again(False))

    def refresh(self, select: Any = None) -> None:
        """Fill the table anew; ``select`` becomes the current one."""
        rows = [history.row(node) for node in results.inScene()]
        ids = [row.node.GetID() for row in rows]
        wanted = select.GetID() if select is not None else self._current
        self._current = wanted if wanted in ids else (ids[-1] if ids else None)
        table = self.ui.resultsTable
        table.blockSignals(True)
        # Sorting while rows are filled would move them away.
        table.setSortingEnabled(False)
        table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            self._fill(index, row)
        table.setSortingEnabled(True)
        for column, key in _FIGURES.items():
            table.setColumnHidden(column, not any(key in row.metrics for row in rows))
        table.setColumnHidden(_WARNINGS, not any(row.warnings for row in rows))
        table.resizeColumnsToContents()
        self._selectCurrent(len(rows))
        table.blockSignals(False)
        table.setVisible(bool(rows))
        self.ui.noResultsLabel.setVisible(not rows)
        self._showReady()

    def current(self) -> Any:
        """The picked result's sequence, or None."""
        return slicer.mrmlScene.GetNodeByID(self._current) if self._current else None

    def show(self, sequence: Any) -> None:
        """Show a result in the views and in the playback tool bar."""
        browser, proxy = sequences.browserOf(sequence), sequences.proxyOf(sequence)
        if proxy is not None:
            layout.showVolume(proxy)
            layout.offerPlayback(browser)

    def _fill(self, index: int, row: history.Row) -> None:
        numbers = {_TIME: row.seconds, **{column: row.metrics.get(key) for column, key in _FIGURES.items()}}
        if numbers[_MISFIT] is not None:
            numbers[_MISFIT] *= 100
        if row.warnings:
            numbers[_WARNINGS] = len(row.warnings)
        for column in range(len(_COLUMNS)):
            item = qt.QTableWidgetItem({_NAME: row.name, _SETTINGS: row.settings}.get(column, ""))
            if numbers.get(column) is not None:
                # As a number, so that 9 comes before 10 when the column is sorted.
                item.setData(qt.Qt.DisplayRole, round(numbers[column], _DIGITS[column]))
            item.setData(qt.Qt.UserRole, row.node.GetID())
            item.setToolTip(row.tip)
            self.ui.resultsTable.setItem(index, column, item)

    def _selectCurrent(self, count: int) -> None:
        self.ui.resultsTable.clearSelection()
        for index in range(count):
            if self.ui.resultsTable.item(index, 0).data(qt.Qt.UserRole) == self._current:
                self.ui.resultsTable.selectRow(index)

    def _selected(self, *_: Any) -> None:
        items = self.ui.resultsTable.selectedItems()
        if items:
            self._current = str(items[0].data(qt.Qt.UserRole))
        self._showReady()

    def _show(self, *_: Any) -> None:
        if self.current() is not None:
            self.show(self.current())

    def _play(self, *_: Any) -> None:
        browser = sequences.browserOf(self.current()) if self.current() is not None else None
        if browser is not None:
            self._show()
            browser.SetPlaybackActive(not browser.GetPlaybackActive())

    def _trustClicked(self, *_: Any) -> None:
        if self.current() is not None:
            self._trust(self.current())

    def _again(self, start: bool) -> None:
        if self.current() is not None:
            self._repeat(self.current(), start)

    def _showReady(self) -> None:
        ui = self.ui
        for button in (ui.showResultButton, ui.playResultButton, ui.trustButton, ui.repeatButton, ui.useSettingsButton):
            button.setEnabled(self.current() is not None)
        warnings = history.row(self.current()).warnings if self.current() is not None else ()
        ui.resultWarningsLabel.setText(
            "\n".join(_("Warning: {warning}").format(warning=warning) for warning in warnings)
        )
        ui.resultWarningsLabel.setVisible(bool(warnings))
        self._picked()
