"""Export from the panel: every format from one button, nothing replaced, errors in a sentence, nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import scans
import slicer
import vtk
from finished_runs import finished_run
from panel_driver import PanelDriver

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.errors import InputError

EVERY = [".seq.nrrd", ".nii.gz", ".dicom", ".dcm", ".mp4", ".gif", ".csv"]


@pytest.fixture
def result(panel: PanelDriver, scan: Path) -> Any:
    """A reconstruction with a line profile."""
    sequence = finished_run(scan, "gridding", {}, 1.0)
    panel.widget.panel.results.refresh()
    panel.widget.panel.profile.setSequence(sequence)
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Lower border")
    for index in ((14.0, 12.0), (14.0, 29.0)):
        line.AddControlPointWorld(vtk.vtkVector3d(*scans.geometry(32).to_ras((*index, 0.0))), "p")
    panel.ui.profileLineSelector.setCurrentNode(line)
    panel.ui.computeProfileButton.click()
    return sequence


def export(panel: PanelDriver, folder: Path, suffixes: list[str]) -> str:
    panel.widget.panel.export.setSuffixes(suffixes)
    panel.ui.exportFolderEdit.setCurrentPath(str(folder))
    assert panel.ui.exportButton.isEnabled(), panel.ui.exportButton.property("toolTip")
    panel.ui.exportButton.click()
    assert panel.wait(lambda: not panel.widget.panel.export.running, 60)
    return panel.text("exportLabel")


def test_every_format_at_once(panel: PanelDriver, result: Any, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    said = export(panel, folder, EVERY)
    assert said.startswith(f"Written to {folder}: "), said
    names = {path.name for path in folder.iterdir()}
    stem = result.GetName()
    assert names == {
        *(f"{stem}{suffix}" for suffix in EVERY[:-1]),
        f"{stem}.Lower-border.edge.csv",
        f"{stem}.Lower-border.mmode.csv",
        f"{stem}.Lower-border.TextGrid",
    }
    assert all(name in said for name in names)
    truth = np.stack([slicer.util.arrayFromVolume(result.GetNthDataNode(i)) for i in range(6)])
    for suffix in EVERY[:4]:
        back = dmr.read(folder / f"{stem}{suffix}")
        np.testing.assert_allclose(back.array, truth, atol=1e-4 * truth.max())
        np.testing.assert_allclose(back.affine, scans.images().affine, atol=1e-3)
        np.testing.assert_allclose(back.times_s, scans.images().times_s, atol=1e-3)
        assert back.metadata["provenance"]["method"] == "gridding"
    assert dmr.read(folder / f"{stem}.gif").frames == 6
    edge = (folder / f"{stem}.Lower-border.edge.csv").read_text().splitlines()
    assert len(edge) == 7
    assert edge[0].startswith("time_s,edge_mm,velocity_mm_per_s")
    assert str(folder) not in (folder / f"{stem}.seq.nrrd").read_bytes().split(b"\n\n")[0].decode("latin-1")


def test_files_that_exist_stay_and_new_ones_get_a_number(panel: PanelDriver, result: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    stem = result.GetName()
    precious = tmp_path / "out" / f"{stem}.gif"
    precious.write_bytes(b"precious")
    for number in (2, 3):
        said = export(panel, tmp_path / "out", [".gif", ".nii.gz", ".csv"])
        assert f"{stem}-{number}.gif" in said
        assert f"{stem}-{number}.nii.gz" in said
        assert f"{stem}-{number}.Lower-border.edge.csv" in said
    assert precious.read_bytes() == b"precious"


def test_a_patient_only_when_one_is_named(panel: PanelDriver, result: Any, tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "Resources" / "SampleData" / "cine_sax"
    assert not panel.ui.exportPatientEdit.isHidden()
    panel.widget.panel.export.setSuffixes([".gif"])
    assert panel.ui.exportPatientEdit.isHidden()
    stem = result.GetName()
    (tmp_path / "a").mkdir()
    export(panel, tmp_path / "a", [".dcm"])
    panel.ui.exportPatientEdit.setCurrentPath(str(sample))
    export(panel, tmp_path / "a", [".dcm"])
    study = pydicom.dcmread(next(sample.glob("*.dcm"))).StudyInstanceUID
    assert pydicom.dcmread(tmp_path / "a" / f"{stem}.dcm").StudyInstanceUID != study
    assert pydicom.dcmread(tmp_path / "a" / f"{stem}-2.dcm").StudyInstanceUID == study


def test_what_is_missing_is_said(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    button, tip = panel.ui.exportButton, lambda: str(panel.ui.exportButton.property("toolTip"))
    assert not button.isEnabled()
    assert "Pick a result" in tip()
    finished_run(scan, "gridding", {}, 1.0)
    panel.widget.panel.results.refresh()
    assert "folder" in tip()
    panel.ui.exportFolderEdit.setCurrentPath(str(tmp_path / "none"))
    assert button.isEnabled()
    button.click()
    assert "does not exist" in panel.text("exportLabel")
    panel.widget.panel.export.setSuffixes([])
    assert not button.isEnabled()
    assert "at least one format" in tip()
    panel.widget.panel.export.setSuffixes([".csv"])
    panel.ui.exportFolderEdit.setCurrentPath(str(tmp_path))
    button.click()
    assert "no line profile yet" in panel.text("exportLabel")


def test_an_error_of_the_writer_is_shown_with_what_was_written(panel: PanelDriver, result: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    panel.ui.exportPatientEdit.setCurrentPath(str(scans.__file__))
    said = export(panel, tmp_path / "out", [".nii.gz", ".dcm"])
    assert said.startswith("Error: "), said
    assert "DICOM" in said
    assert f"Already written: {result.GetName()}.nii.gz." in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{result.GetName()}.nii.gz"]


def test_closing_the_scene_ends_it_and_leaves_nothing(panel: PanelDriver, result: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    panel.widget.panel.export.setSuffixes([".mp4"])
    panel.ui.exportFolderEdit.setCurrentPath(str(tmp_path / "out"))
    panel.ui.exportButton.click()
    assert panel.widget.panel.export.running
    panel.host.clear_scene()
    assert not panel.widget.panel.export.running
    assert list((tmp_path / "out").iterdir()) == []


def test_console_export(panel: PanelDriver, result: Any, tmp_path: Path) -> None:
    paths = [tmp_path / "a.dicom", tmp_path / "a.gif", tmp_path / "a.csv"]
    written = panel.logic.export(result, *paths)
    ours = [tmp_path / f"a.Lower-border.{ending}" for ending in ("edge.csv", "mmode.csv", "TextGrid")]
    assert written == [*paths[:2], *ours]
    assert dmr.read(paths[0]).metadata["provenance"]["method"] == "gridding"
    for path in paths:
        with pytest.raises(InputError, match="exists already"):
            panel.logic.export(result, path)
