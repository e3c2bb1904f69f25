"""Section Results: the reconstructions in the scene, shown and played."""

from __future__ import annotations

from typing import Any

import slicer

from DynamicMRIReconSlicer import layout, results, sequences


class ResultsSection:
    """Lists what this module made; follows the scene, so that loaded and deleted results are right too.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self._ids: list[str] = []
        ui.showResultButton.clicked.connect(self._show)
        ui.playResultButton.clicked.connect(self._play)
        ui.resultsList.itemDoubleClicked.connect(self._show)
        ui.resultsList.currentRowChanged.connect(self._rowChanged)

    def refresh(self, select: Any = None) -> None:
        """Fill the list anew; ``select`` becomes the current one."""
        nodes = results.inScene()
        wanted = select.GetID() if select is not None else self._currentId()
        self.ui.resultsList.blockSignals(True)
        self.ui.resultsList.clear()
        for node in nodes:
            self.ui.resultsList.addItem(results.describe(node))
        self._ids = [node.GetID() for node in nodes]
        if wanted in self._ids:
            self.ui.resultsList.setProperty("currentRow", self._ids.index(wanted))
        elif self._ids:
            self.ui.resultsList.setProperty("currentRow", len(self._ids) - 1)
        self.ui.resultsList.blockSignals(False)
        self.ui.resultsList.setVisible(bool(self._ids))
        self.ui.noResultsLabel.setVisible(not self._ids)
        self._rowChanged()

    def current(self) -> Any:
        """The picked result's sequence, or None."""
        identifier = self._currentId()
        return slicer.mrmlScene.GetNodeByID(identifier) if identifier else None

    def show(self, sequence: Any) -> None:
        """Show a result in the views and in the playback tool bar."""
        browser, proxy = sequences.browserOf(sequence), sequences.proxyOf(sequence)
        if proxy is not None:
            layout.showVolume(proxy)
            layout.offerPlayback(browser)

    def _currentId(self) -> str | None:
        row = self.ui.resultsList.property("currentRow")
        return self._ids[row] if isinstance(row, int) and 0 <= row < len(self._ids) else None

    def _show(self, *_: Any) -> None:
        if self.current() is not None:
            self.show(self.current())

    def _play(self, *_: Any) -> None:
        browser = sequences.browserOf(self.current()) if self.current() is not None else None
        if browser is not None:
            self._show()
            browser.SetPlaybackActive(not browser.GetPlaybackActive())

    def _rowChanged(self, *_: Any) -> None:
        self.ui.showResultButton.setEnabled(self.current() is not None)
        self.ui.playResultButton.setEnabled(self.current() is not None)
