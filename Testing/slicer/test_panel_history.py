"""The history of runs: a sortable table that survives the scene, records that travel, and repeats that are equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scans
import slicer
from finished_runs import finished_run
from panel_driver import PanelDriver


def _frames(sequence: Any) -> np.ndarray:
    count = sequence.GetNumberOfDataNodes()
    return np.stack([slicer.util.arrayFromVolume(sequence.GetNthDataNode(i)) for i in range(count)])


@pytest.fixture
def two_runs(panel: PanelDriver, scan: Path) -> tuple[Any, Any]:
    """``gridding`` at its standard, and ``cg-sense`` with parameters of its own."""
    runs = finished_run(scan, "gridding", {}, 10.0), finished_run(scan, "cg-sense", {"iterations": 3}, 9.0)
    panel.widget.panel.results.refresh()
    return runs


def test_every_run_is_a_row_and_a_click_shows_it(panel: PanelDriver, two_runs: tuple[Any, Any]) -> None:
    first, second = two_runs
    rows = panel.results()
    assert [row[0] for row in rows] == [first.GetName(), second.GetName()]
    assert [row[1] for row in rows] == ["standard", "iterations=3"]
    assert [row[2] for row in rows] == ["10.0", "9.0"]
    assert len(rows[0]) == 3, "no column of metrics without a reference"
    background = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    for node in (first, second, first):
        panel.pick_result(node)
        browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(node)
        assert background.GetBackgroundVolumeID() == browser.GetProxyNode(node).GetID()


def test_the_table_sorts_numbers_as_numbers(panel: PanelDriver, two_runs: tuple[Any, Any]) -> None:
    import qt

    panel.ui.resultsTable.sortItems(2, qt.Qt.AscendingOrder)
    assert [row[2] for row in panel.results()] == ["9.0", "10.0"]
    panel.pick_result(two_runs[0])
    assert panel.widget.panel.results.current() is two_runs[0], "the row that was clicked, however the table is sorted"


def test_history_comes_back_with_the_scene(
    panel: PanelDriver, two_runs: tuple[Any, Any], scan: Path, tmp_path: Path
) -> None:
    before = panel.results()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    assert panel.results() == []
    slicer.util.loadScene(path)
    panel.widget.enter()
    assert panel.results() == before
    panel.pick_result(slicer.util.getFirstNodeByClassByName("vtkMRMLSequenceNode", "tiny cg-sense"))
    panel.ui.useSettingsButton.click()
    assert panel.parameter("iterations").property("value") == 3
    assert panel.ui.inputPathEdit.property("currentPath") == str(scan)


def test_a_repeat_gives_the_same_images(panel: PanelDriver, scan: Path) -> None:
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    panel.parameter("iterations").setValue(3)
    panel.ui.seedSpin.setValue(7)
    first = panel.reconstruct()
    panel.choose_method("gridding")
    panel.ui.seedSpin.setValue(0)
    panel.type_path(Path())
    panel.ui.repeatButton.click()
    assert panel.wait(panel.running, 30), panel.shown()
    panel.wait_for_end()
    assert panel.error_shown() == "", panel.shown()
    assert [row[1] for row in panel.results()] == ["iterations=3"] * 2
    again = panel.widget.panel.results.current()
    assert again is not first
    np.testing.assert_array_equal(_frames(again), _frames(first))
    assert panel.ui.seedSpin.property("value") == 7
    assert json.loads(again.GetNodeReference("DynamicMRIRecon.Provenance").GetText())["seed"] == 7


def test_its_settings_can_be_used_without_starting(panel: PanelDriver, two_runs: tuple[Any, Any], scan: Path) -> None:
    panel.choose_method("gridding")
    panel.type_path(Path())
    panel.pick_result(two_runs[1])
    panel.ui.useSettingsButton.click()
    assert panel.ui.methodCombo.property("currentText") == "CG-SENSE"
    assert panel.parameter("iterations").property("value") == 3
    assert panel.ui.inputPathEdit.property("currentPath") == str(scan)
    assert panel.wait(panel.can_reconstruct, 30)
    assert not panel.running()


def test_simulated_runs_show_their_metrics_and_repeat_from_the_node(panel: PanelDriver, tmp_path: Path) -> None:
    from DynamicMRIReconLib import io

    cine = slicer.util.loadSequence(str(io.write(tmp_path / "cine.seq.nrrd", scans.images())))
    panel.ui.inputSelector.setCurrentNode(cine)
    panel.choose_method("gridding")
    panel.ui.simulateGroup.setChecked(True)
    panel.ui.shotsSpin.setValue(40)
    assert panel.wait(panel.can_reconstruct, 30), panel.why_not()
    first = panel.reconstruct()
    (row,) = panel.results()
    assert "simulated" in row[1]
    assert float(row[3]) > 10
    assert 0 < float(row[4]) <= 1
    panel.ui.shotsSpin.setValue(12)
    panel.ui.inputSelector.setCurrentNode(None)
    panel.ui.repeatButton.click()
    assert panel.wait(panel.running, 30), panel.shown()
    panel.wait_for_end()
    assert len(panel.results()) == 2, panel.shown()
    np.testing.assert_array_equal(_frames(panel.widget.panel.results.current()), _frames(first))


def test_what_cannot_be_repeated_says_why(panel: PanelDriver, two_runs: tuple[Any, Any]) -> None:
    first, _ = two_runs
    node = first.GetNodeReference("DynamicMRIRecon.Provenance")
    asked = json.loads(node.GetAttribute("DynamicMRIRecon.Request"))
    node.SetAttribute("DynamicMRIRecon.Request", json.dumps({**asked, "path": "/no/such/scan.h5"}))
    panel.pick_result(first)
    panel.ui.repeatButton.click()
    assert "/no/such/scan.h5" in panel.error_shown()
    assert not panel.running()
    slicer.mrmlScene.RemoveNode(node)
    panel.ui.repeatButton.click()
    assert "does not say how it was made" in panel.error_shown()


def test_a_result_from_a_file_alone_is_a_row_too(panel: PanelDriver, two_runs: tuple[Any, Any], tmp_path: Path) -> None:
    path = str(tmp_path / "alone.seq.nrrd")
    assert slicer.util.saveNode(two_runs[1], path)
    content = Path(path).read_bytes()
    assert b"DynamicMRIRecon.Provenance" in content.split(b"\n\n")[0]
    panel.host.clear_scene()
    slicer.util.loadSequence(path)
    panel.widget.enter()
    (row,) = panel.results()
    assert row[1] == "iterations=3"


def test_console_repeats_and_refuses(panel: PanelDriver, two_runs: tuple[Any, Any]) -> None:
    from DynamicMRIReconLib.errors import InputError

    again = panel.logic.repeat(two_runs[1], seed=1)
    record = json.loads(again.provenanceNode.GetText())
    assert (record["method"], record["parameters"]["iterations"], record["seed"]) == ("cg-sense", 3, 1)
    node = two_runs[0].GetNodeReference("DynamicMRIRecon.Provenance")
    asked = json.loads(node.GetAttribute("DynamicMRIRecon.Request"))
    node.SetAttribute("DynamicMRIRecon.Request", json.dumps({**asked, "path": None}))
    with pytest.raises(InputError, match="not in the scene any more"):
        panel.logic.repeat(two_runs[0])
