"""A real worker behind the real button: results where and when they belong, cancellation, a killed worker, clean-up."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import scans
import slicer
import vtk
from panel_driver import Heartbeat, PanelDriver

from DynamicMRIReconLib.jobs.saved_state import KEEP_EVERY_VARIABLE

logger = logging.getLogger(__name__)

#: the aim is 0.1 s; the machine that runs the tests may be busy with others
LONGEST_PAUSE_S = 0.5
CANCEL_WITHIN_S = 3.0


def _affine(volume: Any) -> Any:
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _start_long_run(panel: PanelDriver, long_scan: Path) -> int:
    panel.choose_method("cg-sense")
    panel.open_scan(long_scan)
    panel.parameter("iterations").setValue(1000)
    panel.parameter("tolerance").setValue(0.0)
    panel.press_reconstruct()
    return panel.worker_pid()


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_from_the_button_to_a_sequence(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    """One run, looked at from every side: starting a worker is what takes the time."""
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    values: list[int] = []
    panel.ui.progressBar.valueChanged.connect(lambda value: values.append(value))
    with Heartbeat() as heartbeat:
        panel.press_reconstruct()
        assert panel.ui.cancelButton.isEnabled()
        assert panel.ui.reconstructButton.property("text") == "Add to queue", "a second press starts no second run"
        panel.wait_for_end()
    assert panel.error_shown() == ""
    assert not panel.ui.cancelButton.isEnabled()
    assert panel.can_reconstruct()
    assert any(0 < value < panel.ui.progressBar.property("maximum") for value in values), values
    logger.info("longest pause of the event loop: %.3f s", heartbeat.longest_gap_s)
    assert heartbeat.longest_gap_s < LONGEST_PAUSE_S
    (sequence,) = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    _check_position_and_time(sequence)
    _check_nodes_and_folder(sequence)
    _check_list_and_file(panel, sequence, tmp_path)


def _check_position_and_time(sequence: Any) -> None:
    truth = scans.images()
    assert sequence.GetNumberOfDataNodes() == truth.frames
    assert (sequence.GetIndexName(), sequence.GetIndexUnit()) == ("time", "s")
    times = [float(sequence.GetNthIndexValue(i)) for i in range(truth.frames)]
    np.testing.assert_allclose(times, truth.times_s, atol=1e-3)
    for index in range(truth.frames):
        volume = sequence.GetNthDataNode(index)
        np.testing.assert_allclose(_affine(volume), truth.affine, atol=1e-4)
        frame = slicer.util.arrayFromVolume(volume)
        assert np.corrcoef(frame.ravel(), truth.array[index].ravel())[0, 1] > 0.98


def _check_nodes_and_folder(sequence: Any) -> None:
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence)
    proxy = browser.GetProxyNode(sequence)
    assert browser.GetPlaybackRateFps() == pytest.approx(1 / scans.FRAME_TIME_S, rel=1e-3)
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    folder = tree.GetItemParent(tree.GetItemByDataNode(proxy))
    assert folder != tree.GetSceneItemID()
    assert tree.GetItemName(folder) == sequence.GetName()
    text = sequence.GetNodeReference("DynamicMRIRecon.Provenance")
    assert tree.GetItemParent(tree.GetItemByDataNode(text)) == folder
    record = json.loads(text.GetText())
    carried = json.loads(sequence.GetAttribute("DynamicMRIRecon.Provenance"))
    assert record["parameters"] == carried["parameters"]
    assert "/" in record["inputs"][0]["path"]
    assert "/" not in carried["inputs"][0]["name"], "files carry no folder names"
    assert "cg-sense" in text.GetText()
    background = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID()
    assert background == proxy.GetID()


def _check_list_and_file(panel: PanelDriver, sequence: Any, folder: Path) -> None:
    (row,) = panel.results()
    assert row[0] == sequence.GetName()
    path = str(folder / "result.seq.nrrd")
    assert slicer.util.saveNode(sequence, path)
    loaded = slicer.util.loadSequence(path)
    assert loaded.GetAttribute("DynamicMRIRecon.Method") == "cg-sense"
    np.testing.assert_allclose(_affine(loaded.GetNthDataNode(0)), scans.images().affine, atol=1e-4)


def test_cancel_frees_the_process_within_three_seconds_and_leaves_no_file(
    panel: PanelDriver, long_scan: Path, temporary: Path
) -> None:
    pid = _start_long_run(panel, long_scan)
    folder = panel.logic.runs[0].folder
    assert folder.parent == temporary
    assert (folder / "job.json").exists()
    children = psutil.Process(pid).children(recursive=True)
    pressed = time.monotonic()
    panel.ui.cancelButton.click()
    assert panel.wait(lambda: _gone(pid), CANCEL_WITHIN_S), "the worker was alive after three seconds"
    panel.wait_for_end()
    logger.info("cancelled after %.2f s", time.monotonic() - pressed)
    assert time.monotonic() - pressed < CANCEL_WITHIN_S
    assert all(_gone(child.pid) for child in children)
    assert list(temporary.rglob("*")) == []
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []
    assert "cancel" in panel.text("statusLabel").lower()
    assert panel.error_shown() == ""
    assert panel.can_reconstruct()


def test_killed_worker_shows_an_error_and_a_second_run_works(
    panel: PanelDriver, long_scan: Path, scan: Path, temporary: Path
) -> None:
    pid = _start_long_run(panel, long_scan)
    os.kill(pid, signal.SIGKILL)
    assert panel.wait(lambda: panel.error_shown() != "", 10), panel.shown()
    assert not panel.running()
    assert any(word in panel.error_shown().lower() for word in ("killed", "memory", "ended", "died")), panel.shown()
    assert list(temporary.rglob("*")) == []
    assert panel.can_reconstruct(), panel.why_not()
    panel.choose_method("gridding")
    panel.open_scan(scan)
    assert panel.reconstruct().GetNumberOfDataNodes() == 6
    assert panel.error_shown() == ""


def _kill_a_run_that_keeps_its_state(
    panel: PanelDriver, scan: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEEP_EVERY_VARIABLE, "0")
    pid = _start_long_run(panel, scan)
    assert panel.wait(lambda: any(temporary.glob("*/state/*.npz")), 60)
    os.kill(pid, signal.SIGKILL)
    assert panel.wait(lambda: panel.error_shown() != "", 10), panel.shown()


def test_a_killed_run_goes_on_when_it_is_asked_for_again(
    panel: PanelDriver, long_scan: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DynamicMRIReconSlicer import unfinishedRuns

    _kill_a_run_that_keeps_its_state(panel, long_scan, temporary, monkeypatch)
    assert any(temporary.glob("*/state/*.npz"))
    panel.press_reconstruct()
    assert panel.wait(lambda: "Going on from" in panel.text("logText"), 60), panel.shown()
    panel.ui.cancelButton.click()
    panel.wait_for_end()
    assert len(list(temporary.glob("*/state"))) == 1, "cancelled, it can go on too"
    panel.parameter("iterations").setValue(999)
    panel.press_reconstruct()
    panel.worker_pid()
    assert panel.text("logText").count("Going on from") == 1, "other settings start anew"
    panel.ui.cancelButton.click()
    panel.wait_for_end()
    unfinishedRuns.forget()


def test_what_a_killed_slicer_left_is_used_or_removed(
    panel: PanelDriver, long_scan: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DynamicMRIReconSlicer import unfinishedRuns

    _kill_a_run_that_keeps_its_state(panel, long_scan, temporary, monkeypatch)
    (kept,) = temporary.iterdir()
    nobody = 2**22 + 1
    left = temporary / f"DynamicMRIRecon-{nobody}-left"
    shutil.copytree(kept, left)
    (temporary / f"DynamicMRIRecon-{nobody}-useless").mkdir()
    unfinishedRuns.forget()
    panel.press_reconstruct()
    assert panel.wait(lambda: "Going on from" in panel.text("logText"), 60), panel.shown()
    assert list(temporary.iterdir()) == [panel.logic.runs[0].folder]
    panel.ui.cancelButton.click()
    panel.wait_for_end()
    unfinishedRuns.forget()


def test_closing_the_scene_stops_the_run(panel: PanelDriver, long_scan: Path, temporary: Path) -> None:
    pid = _start_long_run(panel, long_scan)
    panel.host.clear_scene()
    assert panel.wait(lambda: _gone(pid), CANCEL_WITHIN_S)
    assert list(temporary.rglob("*")) == []
    assert not panel.running()
    assert not panel.ui.cancelButton.isEnabled()


def test_closing_the_module_stops_the_run(slicer_host: Any, module: Any, long_scan: Path, temporary: Path) -> None:
    driver = PanelDriver(slicer_host)
    pid = _start_long_run(driver, long_scan)
    driver.close()
    assert slicer_host.wait_until(lambda: _gone(pid), CANCEL_WITHIN_S)
    assert list(temporary.rglob("*")) == []


def test_worker_that_refuses_the_input_says_why(panel: PanelDriver, scan: Path) -> None:
    panel.choose_method("gridding")
    panel.open_scan(scan)
    content = scan.read_bytes()
    try:
        scan.write_bytes(content[: len(content) // 2])
        panel.press_reconstruct()
        panel.wait_for_end()
    finally:
        scan.write_bytes(content)
    assert scan.name in panel.error_shown(), panel.shown()
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []


def test_series_in_the_scene_can_be_simulated_and_says_so(panel: PanelDriver, tmp_path: Path) -> None:
    from DynamicMRIReconLib import io

    path = io.write(tmp_path / "cine.seq.nrrd", scans.images())
    cine = slicer.util.loadSequence(str(path))
    panel.ui.inputSelector.setCurrentNode(cine)
    panel.choose_method("gridding")
    panel.ui.simulateGroup.setChecked(True)
    panel.ui.shotsSpin.setValue(40)
    assert panel.wait(panel.can_reconstruct, 30), panel.why_not()
    result = panel.reconstruct()
    assert "DynamicMRIRecon.Simulated" in result.GetAttributeNames()
    assert "simulated" in panel.results()[0][1]
    np.testing.assert_allclose(_affine(result.GetNthDataNode(0))[:3, :3], scans.images().affine[:3, :3], atol=1e-3)
