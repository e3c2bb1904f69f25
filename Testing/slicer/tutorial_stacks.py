"""The steps of the tutorial on stacks; see ``tutorials``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer
import stack_scene
from host import window

from DynamicMRIReconLib import io

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "fetal_stacks"
NOTE = "Fetal brain, SIMULATED motion (SVRTK, Apache-2.0)."
NAMES = ("stack-1", "stack-2", "stack-3")


def compare_picture(tutorial: Any, step: str) -> None:
    """The whole window with the linked views as they stand."""
    manager = slicer.app.layoutManager()
    names = [name for name in manager.sliceViewNames() if name.startswith("Compare")]
    window.compare_picture(tutorial.driver.representation, tutorial.picture(step), names, note=tutorial.note)


def load(tutorial: Any) -> None:
    """What Add Data does with the three files."""
    for name in NAMES:
        stack_scene.add(io.read(SAMPLE / f"{name}.nii.gz"), name)
    table = tutorial.ui.stacksTable
    assert tutorial.driver.wait(lambda: table.property("rowCount") == 3, 10)


def tick(tutorial: Any) -> None:
    """Unfold the section, tick all three, keep the first fixed."""
    tutorial.ui.stacksCollapsibleButton.setProperty("collapsed", False)
    for row in range(3):
        tutorial.ui.stacksTable.item(row, 0).setCheckState(qt.Qt.Checked)
    assert tutorial.ui.fixedStackCombo.property("currentText") == "stack-1"
    assert "Not registered yet" in tutorial.driver.text("stacksLabel")


def register(tutorial: Any) -> None:
    """Press Register, look at what it says and shows."""
    tutorial.ui.registerButton.click()
    assert tutorial.driver.wait(lambda: not tutorial.driver.running(), 400), tutorial.driver.shown()
    tutorial.wait()
    said = tutorial.driver.text("stacksLabel")
    assert said.startswith("Registered onto stack-1."), said
    from DynamicMRIReconSlicer import stackRegistration

    for name in NAMES[1:]:
        shift, turn = stackRegistration.size(slicer.util.getNode(name))
        assert 2 < shift < 6, said
        assert 2 < turn < 7, said
    compare_picture(tutorial, "register")


def reconstruct(tutorial: Any) -> None:
    """Two methods in a row."""
    for key in ("bspline", "srr"):
        tutorial.driver.choose_method(key)
        tutorial.ui.reconstructButton.click()
    assert tutorial.driver.wait(lambda: len(tutorial.driver.results()) == 2, 400), tutorial.driver.shown()
    tutorial.wait()
    tutorial.result = tutorial.driver.widget.panel.results.current()


def compare(tutorial: Any) -> None:
    """Side by side; both agree with the volume that is expected, the sharper one no less."""
    from DynamicMRIReconSlicer import compareView, sequenceReader
    from scipy.ndimage import map_coordinates

    tutorial.ui.compareMethodsButton.click()
    assert "B-spline, Super-resolution (SRR)" in tutorial.driver.text("compareMethodsLabel")
    compare_picture(tutorial, "compare")
    expected = io.read(SAMPLE / "expected.nii.gz")
    k, j, i = np.nonzero(expected.array[0] > 0)
    points = expected.geometry.to_ras(np.stack([i, j, k], -1))
    for sequence in compareView.resultsOf():
        series = sequenceReader.toSeries(sequence)
        at = series.geometry.to_ijk(points)[:, ::-1].T
        found = map_coordinates(series.array[0], at, order=1)
        inside = found > 0
        assert np.corrcoef(found[inside], expected.array[0][k, j, i][inside])[0, 1] > 0.8
