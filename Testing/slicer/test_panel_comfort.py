"""A method suggested and others greyed with the reason, a quick look, several jobs in a row, a narrow panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qt
import scans
import slicer
from finished_runs import finished_run
from panel_driver import PanelDriver

from DynamicMRIReconLib import io


def enabled(panel: PanelDriver, key: str) -> bool:
    from DynamicMRIReconLib.methods import registry

    combo = panel.ui.methodCombo
    index = combo.findText(registry.get(key).title)
    return bool(combo.model().item(index).isEnabled())


def test_a_fresh_panel_picks_what_suits_the_data_and_says_why(panel: PanelDriver, scan: Path) -> None:
    assert panel.ui.suggestionWidget.isHidden()
    panel.open_scan(scan)
    assert panel.ui.methodCombo.property("currentText") == "Gridding"
    assert "fully sampled" in panel.text("suggestionLabel")
    assert panel.ui.useSuggestionButton.isHidden()


def test_the_first_choice_after_a_suggestion_stays(panel: PanelDriver, scan: Path) -> None:
    panel.open_scan(scan)
    # As Qt does it: first the index changes, then the choice is announced.
    panel.choose_method("tv")
    assert panel.widget.panel.method.method["key"] == "tv"
    assert panel.text("suggestionLabel").startswith("Suggested: Gridding. ")


def test_a_choice_of_the_users_own_stays(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    assert panel.ui.methodCombo.property("currentText") == "CG-SENSE"
    assert panel.text("suggestionLabel").startswith("Suggested: Gridding. ")
    panel.ui.useSuggestionButton.click()
    assert panel.ui.methodCombo.property("currentText") == "Gridding"
    panel.choose_method("tv")
    panel.widget.exit()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    assert panel.wait(panel.can_reconstruct, 30)
    assert panel.widget.panel.method.method["key"] == "tv"


def test_methods_that_do_not_fit_are_greyed_with_the_reason(panel: PanelDriver, tmp_path: Path) -> None:
    from DynamicMRIReconLib.methods import registry

    keys = list(registry.all_methods())
    assert all(enabled(panel, key) for key in keys), "nothing is known yet"
    cine = slicer.util.loadSequence(str(io.write(tmp_path / "cine.seq.nrrd", scans.images())))
    panel.ui.inputSelector.setCurrentNode(cine)
    kspace = [key for key in keys if registry.get(key).input_kind == "kspace"]
    assert not any(enabled(panel, key) for key in kspace)
    combo = panel.ui.methodCombo
    tip = str(combo.itemData(combo.findText("CG-SENSE"), qt.Qt.ToolTipRole))
    assert tip.startswith("Not now: CG-SENSE needs k-space")
    panel.ui.simulateGroup.setChecked(True)
    assert all(enabled(panel, key) for key in kspace), "k-space will be simulated"


def test_a_quick_look_takes_a_few_frames_from_the_middle(panel: PanelDriver, tmp_path: Path) -> None:
    scan = scans.write_scan(tmp_path / "longer.h5", frames=14)
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    assert panel.ui.quickLookButton.isEnabled()
    panel.ui.quickLookButton.click()
    panel.wait_for_end()
    assert panel.error_shown() == "", panel.shown()
    (sequence,) = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    assert sequence.GetName() == "longer cg-sense quick look"
    times = [float(sequence.GetNthIndexValue(i)) for i in range(sequence.GetNumberOfDataNodes())]
    np.testing.assert_allclose(times, scans.images(frames=14).times_s[3:11], atol=1e-6)
    ((_, settings, *_),) = panel.results()
    assert settings == "fast, frames 3-10"
    panel.ui.repeatButton.click()
    assert panel.wait(panel.running, 30), panel.shown()
    panel.wait_for_end()
    assert [row[1] for row in panel.results()] == ["fast, frames 3-10"] * 2, "a quick look is repeated as one"


def test_jobs_wait_for_each_other(panel: PanelDriver, scan: Path) -> None:
    panel.choose_method("gridding")
    panel.open_scan(scan)
    panel.ui.reconstructButton.click()
    assert panel.ui.reconstructButton.property("text") == "Add to queue"
    assert panel.ui.queueWidget.isHidden()
    panel.choose_method("cg-sense")
    panel.parameter("iterations").setValue(2)
    panel.ui.reconstructButton.click()
    panel.choose_method("tv")
    panel.ui.reconstructButton.click()
    assert panel.text("queueLabel") == "Waiting: tiny cg-sense, tiny tv"
    assert len(panel.logic.runs) == 1, "one after the other"
    # The choices of the moment when it was queued count, not those of when it starts.
    panel.choose_method("cg-sense")
    panel.parameter("iterations").setValue(77)
    assert panel.wait(lambda: panel.text("queueLabel") == "Waiting: tiny tv", 60), panel.shown()
    panel.ui.clearQueueButton.click()
    assert panel.ui.queueWidget.isHidden()
    panel.wait_for_end()
    assert [row[:2] for row in panel.results()] == [["tiny gridding", "standard"], ["tiny cg-sense", "iterations=2"]]
    assert panel.ui.reconstructButton.property("text") == "Reconstruct"


def test_what_fails_does_not_hold_up_the_rest(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    queue = panel.widget.panel.queue
    queue.add("gone", str(tmp_path / "gone.h5"), "gridding")
    assert "gone.h5 does not exist" in panel.error_shown()
    assert queue.run is None
    queue.add("first", str(scan), "cg-sense", {"iterations": -1})
    queue.add("second", str(scan), "gridding")
    assert panel.wait(lambda: queue.run is None and not queue.waiting, 60)
    assert [row[0] for row in panel.results()] == ["second"]


def test_closing_the_scene_empties_the_queue(panel: PanelDriver, scan: Path) -> None:
    panel.choose_method("gridding")
    panel.open_scan(scan)
    panel.ui.reconstructButton.click()
    panel.ui.reconstructButton.click()
    assert panel.widget.panel.queue.waiting == ["tiny gridding"]
    panel.host.clear_scene()
    assert panel.widget.panel.queue.waiting == []
    assert not panel.running()


@pytest.mark.parametrize("state", ["empty", "loaded", "finished"])
def test_the_panel_fits_into_400_pixels(panel: PanelDriver, scan: Path, state: str) -> None:
    """With everything unfolded; nothing may ask for more width, or the right edge would be cut off."""
    if state != "empty":
        panel.choose_method("grasp")
        panel.open_scan(scan)
    if state == "finished":
        finished_run(scan, "cg-sense", {"iterations": 3}, 61.4, {"psnr_db": 33.2, "ssim": 0.94, "nrmse": 0.1})
        panel.widget.panel.results.refresh()
    for name, widget in vars(panel.ui).items():
        if name.endswith("CollapsibleButton"):
            widget.setProperty("collapsed", False)
    panel.host.app.processEvents()
    width = panel.representation.minimumSizeHint().width()
    assert width <= 400, f"the panel asks for {width} pixels"


def test_a_suggestion_for_each_kind_of_data() -> None:
    from DynamicMRIReconSlicer import methodList, methodSuggestion

    methods = methodList.methods()

    def suggested(**changed: Any) -> str | None:
        described = {"kind": "kspace", "sampling": "radial", "acceleration": 8.0, "frames": 24, "coils": 8, **changed}
        found = methodSuggestion.suggest(described, methods)
        assert found is None or found[1].endswith(".")
        return None if found is None else found[0]

    assert suggested() == "grasp"
    assert suggested(sampling="cartesian") == "low-rank-sparse"
    assert suggested(frames=2) == "cg-sense"
    assert suggested(acceleration=1.6) == "cg-sense"
    assert suggested(acceleration=0.6) == "gridding"
    assert suggested(sampling="cartesian", acceleration=1.0) == "gridding"
    assert suggested(sampling="cartesian", acceleration=1.6, coils=1) == "low-rank-sparse"
    assert suggested(kind="series") == "ifnet"
    assert suggested(kind="series", frames=1) is None
    beating = {"beats": 1.0, "beat_s": 0.9, "scales": [2, 4]}
    assert suggested(kind="series", heart=beating) == "cardiac-vsr"
    assert suggested(kind="series", heart={**beating, "scales": []}) == "ifnet", "no model has seen such voxels"
    assert suggested(kind="series", heart=None) == "ifnet"
    assert suggested(kind="no such kind") is None
    assert methodSuggestion.suggest(None, methods) is None


def test_a_cine_of_the_heart_is_suggested_to_be_made_finer(panel: PanelDriver) -> None:
    """From the images alone: a beat, and voxels that the shipped model has seen; a tongue that speaks has neither."""
    from DynamicMRIReconSlicer import sequences

    from DynamicMRIReconLib.data import ImageSeries
    from DynamicMRIReconLib.phantoms.heart import HeartScene
    from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

    def pick(scene: Any, times_s: np.ndarray, voxel_mm: float, name: str) -> None:
        array = np.abs(scene.render(times_s, (1, 96, 96))).astype(np.float32)
        series = ImageSeries(array, np.diag([voxel_mm, voxel_mm, 8, 1]), times_s)
        panel.ui.inputSelector.setCurrentNode(sequences.fromSeries(series, name).sequence)

    heart = HeartScene(0)
    beat = heart.cycle.period_s / 20 * np.arange(20)
    pick(heart, beat, 2.7, "Heart")
    assert panel.ui.methodCombo.property("currentText") == "Cardiac video super-resolution"
    assert f"every {heart.cycle.period_s:.2f} s" in panel.text("suggestionLabel")
    assert "scale 2" in panel.text("suggestionLabel")
    pick(heart, beat, 1.4, "Fine heart")
    assert panel.ui.methodCombo.property("currentText").startswith("IFNet")
    assert "other voxels" in panel.text("suggestionLabel")
    pick(VocalTractScene(0), 0.04 * np.arange(30), 2.7, "Speech")
    assert panel.ui.methodCombo.property("currentText").startswith("IFNet")
    assert "heart" not in panel.text("suggestionLabel")
