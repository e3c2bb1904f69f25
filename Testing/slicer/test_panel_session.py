"""Settings saved with the scene, the console, the file reader, missing packages, and the module's own self-test."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scans
import slicer


@pytest.mark.parametrize("suffix", [".mrb", ".mrml"])
def test_settings_come_back_with_the_scene(panel: Any, scan: Path, tmp_path: Path, suffix: str) -> None:
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    panel.parameter("iterations").setValue(23)
    panel.ui.seedSpin.setValue(5)
    panel.widget.exit()
    path = str(tmp_path / f"scene{suffix}")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    panel.widget.enter()
    panel.choose_method("gridding")
    panel.ui.seedSpin.setValue(0)
    panel.widget.exit()
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    assert panel.ui.methodCombo.property("currentText") == "CG-SENSE"
    assert panel.parameter("iterations").property("value") == 23
    assert panel.ui.seedSpin.property("value") == 5
    assert panel.ui.inputPathEdit.property("currentPath") == str(scan)


def test_a_panel_opened_after_the_scene_shows_its_settings(panel: Any, scan: Path, tmp_path: Path) -> None:
    from panel_driver import PanelDriver

    panel.choose_method("grasp")
    panel.open_scan(scan)
    panel.ui.seedSpin.setValue(7)
    panel.widget.exit()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.close()
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    later = PanelDriver(panel.host)
    try:
        assert later.widget.panel.method.method["key"] == "grasp"
        assert later.ui.seedSpin.property("value") == 7
        assert later.ui.inputPathEdit.property("currentPath") == str(scan)
    finally:
        later.close()
    # the fixture closes the first one once more
    panel.__init__(panel.host)


def test_console_use_without_the_panel(slicer_host: Any, module: Any, scan: Path) -> None:
    import DynamicMRIRecon

    logic = DynamicMRIRecon.DynamicMRIReconLogic()
    result = logic.reconstruct(str(scan), "cg-sense", {"iterations": 4})
    assert result.sequence.GetNumberOfDataNodes() == 6
    frame = slicer.util.arrayFromVolume(result.sequence.GetNthDataNode(3))
    assert np.corrcoef(frame.ravel(), scans.images().array[3].ravel())[0, 1] > 0.98


def test_console_errors_are_exceptions_with_a_sentence(slicer_host: Any, module: Any, scan: Path) -> None:
    import DynamicMRIRecon
    from DynamicMRIReconLib.errors import InputError

    logic = DynamicMRIRecon.DynamicMRIReconLogic()
    with pytest.raises(InputError, match="iterations"):
        logic.reconstruct(str(scan), "cg-sense", {"iterations": -3})
    with pytest.raises(InputError, match=r"nothing\.h5"):
        logic.reconstruct("/tmp/nothing.h5", "cg-sense")
    assert logic.runs == []


def test_raw_data_dropped_into_slicer_becomes_an_input(panel: Any, scan: Path) -> None:
    assert slicer.app.coreIOManager().fileType(str(scan)) == "DynamicMRIKSpace"
    node = slicer.util.loadNodeFromFile(str(scan))
    assert node.IsA("vtkMRMLTextNode")
    panel.choose_method("gridding")
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel.wait(panel.can_reconstruct, 30), panel.why_not()
    assert panel.reconstruct().GetNumberOfDataNodes() == 6


def test_a_text_file_called_h5_is_not_taken_for_raw_data(slicer_host: Any, module: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.h5"
    path.write_text("no HDF5")
    assert slicer.app.coreIOManager().fileType(str(path)) == "NoFile"
    with pytest.raises(RuntimeError, match=r"notes\.h5"):
        slicer.util.loadNodeFromFile(str(path), "DynamicMRIKSpace")


def test_missing_packages_are_asked_for_once_and_declined(
    panel: Any, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.choose_method("gridding")
    panel.open_scan(scan)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "finufft" else real(name, *a))
    panel.host.dialogs.default_answer = False
    panel.press_reconstruct()
    panel.host.app.processEvents()
    questions = panel.host.dialogs.of_kind("confirm")
    assert len(questions) == 1
    assert "finufft" in questions[0].text
    assert "numpy" not in questions[0].text
    assert panel.host.dialogs.of_kind("pip") == []
    assert not panel.running()
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []


HEAVY = ("torch", "h5py", "ismrmrd", "nibabel", "skimage", "pydicom", "sigpy", "finufft", "torchkbnufft", "SimpleITK")
#: what Slicer does not bring
NOT_BUNDLED = (*(name for name in HEAVY if name not in ("SimpleITK", "pydicom")), "pydantic", "matplotlib", "nrrd")
OPENS_THE_PANEL = """
import importlib.machinery, sys
sys.path.insert(0, {here!r})
import host
application = host.start()
from panel_driver import MODULE_FILE, PanelDriver
hidden, find = {hidden!r}, importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = lambda name, *rest: None if name in hidden else find(name, *rest)
before = set(sys.modules)
application.load_module(MODULE_FILE)
print("LOADED", *sorted(set(sys.modules) - before))
driver = PanelDriver(application)
driver.type_path({scan!r})
application.wait_until(driver.can_reconstruct, 60)
print("OPENED", *sorted(set(sys.modules) - before))
print("METHODS", driver.ui.methodCombo.property("count"))
application.dialogs.default_answer = False
driver.press_reconstruct()
print("ASKED", *[dialog.text for dialog in application.dialogs.of_kind("confirm")], driver.error_shown())
driver.close()
assert not application.slot_errors, application.slot_errors
"""


def _open_the_panel(scan: Path, hidden: tuple[str, ...]) -> dict[str, list[str]]:
    """Open it in a fresh process in which the packages ``hidden`` are not installed; lines it prints by first word."""
    script = OPENS_THE_PANEL.format(here=str(Path(__file__).parent), hidden=hidden, scan=str(scan))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.split()]
    return {words[0]: words[1:] for words in lines}


def test_module_opens_where_nothing_is_installed_yet(scan: Path) -> None:
    """A fresh Slicer: the module loads, lists its methods, and asks for packages when Reconstruct is pressed."""
    from DynamicMRIReconLib.methods import registry

    said = _open_the_panel(scan, NOT_BUNDLED)
    assert "DynamicMRIReconSlicer.panel" in said["LOADED"]
    assert {name.partition(".")[0] for name in said["OPENED"]} & set(NOT_BUNDLED) == set()
    assert int(said["METHODS"][0]) == len(registry.all_methods())
    assert "pydantic" in " ".join(said["ASKED"])


def test_opening_the_module_imports_no_heavy_package(scan: Path) -> None:
    """Slicer loads every module when it starts: that must stay quick."""
    said = _open_the_panel(scan, ("ismrmrd",))
    assert {name.partition(".")[0] for name in said["OPENED"]} & set(HEAVY) == set()


def test_opening_the_module_asks_nothing(panel: Any) -> None:
    assert panel.host.dialogs.of_kind("confirm", "error", "messageBox", "pip") == []


def test_the_module_says_who_it_is(slicer_host: Any, module: Any) -> None:
    assert module.title == "Dynamic MRI Reconstruction"
    assert module.categories == ["Cardiac"]
    assert "not" in (module.helpText + module.acknowledgementText).lower()
    assert module.icon is not None
    assert not module.icon.isNull()
