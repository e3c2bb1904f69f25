"""The recipes for the Python console, run as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scans
import slicer
import stack_scene
import vtk
from scipy.io import wavfile

PAGE = Path(__file__).resolve().parents[2] / "docs" / "console.md"


def test_every_recipe_runs(slicer_host: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import DynamicMRIRecon
    from DynamicMRIReconLib import io

    monkeypatch.chdir(tmp_path)
    scans.write_scan(tmp_path / "scan.h5")
    io.write(tmp_path / "truth.npz", scans.images())
    wavfile.write(tmp_path / "speech.wav", 8000, np.zeros(8000, np.int16))
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Profile line")
    for y in (12.0, 29.0):
        line.AddControlPointWorld(vtk.vtkVector3d(*scans.geometry(32).to_ras((14.0, y, 0.0))), "p")
    pool = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Pool")
    pool.SetCenterWorld(*scans.geometry(32).to_ras((14.0, 18.0, 0.0)))
    pool.SetSizeWorld(10.0, 10.0, 10.0)
    stack_scene.add_all(moved=False)
    logic = DynamicMRIRecon.DynamicMRIReconLogic()
    monkeypatch.setattr(slicer.util, "getModuleLogic", lambda _name: logic, raising=False)

    names: dict[str, Any] = {"slicer": slicer}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 11
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)

    assert names["look"].sequence.GetNumberOfDataNodes() == 4
    assert names["frame"].shape == (1, 32, 32)
    assert len(names["profile"].mmode.velocity_mm_per_s) == 6
    assert np.isfinite(names["curve"].mean).all()
    assert {path.name for path in tmp_path.glob("result.*")} == {"result.seq.nrrd", "result.nii.gz", "result.dicom"}
    made = [names[name].sequence.GetNthDataNode(2) for name in ("result", "again")]
    np.testing.assert_array_equal(*(slicer.util.arrayFromVolume(volume) for volume in made))
    assert names["volume"].sequence.GetNumberOfDataNodes() == 1
