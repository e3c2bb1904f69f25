"""Run on: this computer unless the user says otherwise; a Dask scheduler gives the same result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import qt
import slicer
from panel_driver import PanelDriver

from Testing.dask_processes import running_cluster

DASK, HERE = 1, 0


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as address:
        yield address


@pytest.fixture
def settings() -> Iterator[qt.QSettings]:
    """The user's settings, as they were before."""
    found = slicer.app.userSettings()
    yield found
    for name in ("schedulerAddress", "schedulerFolder"):
        found.remove(f"DynamicMRIRecon/{name}")


def test_the_fields_of_a_scheduler_are_asked_for_only_when_one_shall_run_it(
    panel: PanelDriver, scan: Path, tmp_path: Path, settings: qt.QSettings
) -> None:
    ui = panel.ui
    panel.choose_method("gridding")
    panel.open_scan(scan)
    assert ui.runOnCombo.property("currentText") == "This computer"
    assert ui.schedulerEdit.isHidden()
    assert ui.sharedFolderEdit.isHidden()
    ui.runOnCombo.setCurrentIndex(DASK)
    assert not ui.schedulerEdit.isHidden()
    assert not ui.sharedFolderEdit.isHidden()
    assert "the same path there" in ui.schedulerEdit.property("toolTip")
    for address in ("", "host", "http://host:8786", "tcp://host", "tcp://host:8786 --set"):
        ui.schedulerEdit.setText(address)
        assert "Write the scheduler's address" in panel.why_not()
        assert not panel.can_reconstruct()
    ui.schedulerEdit.setText("tcp://host:8786")
    assert "Choose the shared folder" in panel.why_not()
    ui.sharedFolderEdit.setCurrentPath(str(tmp_path / "nowhere"))
    assert "nowhere does not exist" in panel.why_not()
    ui.sharedFolderEdit.setCurrentPath(str(tmp_path))
    assert panel.can_reconstruct()
    node = panel.logic.getParameterNode()
    names = [node.GetParameter(name) for name in node.GetParameterNames()]
    assert not [text for text in names if "host:8786" in text], "a scene from somebody else names no scheduler"
    assert settings.value("DynamicMRIRecon/schedulerAddress") is None, "kept only when it is used"
    ui.runOnCombo.setCurrentIndex(HERE)
    assert panel.can_reconstruct()


def test_a_scheduler_makes_the_result_that_this_computer_makes(
    panel: PanelDriver, scan: Path, scheduler: str, tmp_path: Path, slicer_host: object, settings: qt.QSettings
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    panel.choose_method("gridding")
    panel.open_scan(scan)
    here = panel.reconstruct()
    panel.ui.runOnCombo.setCurrentIndex(DASK)
    panel.ui.schedulerEdit.setText(scheduler)
    panel.ui.sharedFolderEdit.setCurrentPath(str(shared))
    there = panel.reconstruct()
    assert panel.error_shown() == ""
    assert list(shared.iterdir()) == []
    assert there.GetNumberOfDataNodes() == here.GetNumberOfDataNodes()
    for index in range(here.GetNumberOfDataNodes()):
        one, other = (slicer.util.arrayFromVolume(node.GetNthDataNode(index)) for node in (here, there))
        np.testing.assert_array_equal(one, other)
        assert here.GetNthIndexValue(index) == there.GetNthIndexValue(index)
    assert settings.value("DynamicMRIRecon/schedulerAddress") == scheduler
    later = PanelDriver(slicer_host)
    try:
        assert later.ui.runOnCombo.property("currentIndex") == HERE, "each start begins on this computer"
        assert later.text("schedulerEdit") == scheduler
    finally:
        later.close()
