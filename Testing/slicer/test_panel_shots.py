"""Shots per frame: offered for files of shots only, told to the reader, kept in the scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import slicer
from panel_driver import PanelDriver

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial
from DynamicMRIReconLib.data import Geometry, KSpace

SPOKES, SHOT_S = 24, 0.004


@pytest.fixture
def spokes(tmp_path: Path) -> Path:
    """A golden-angle acquisition whose file calls all spokes one frame."""
    trajectory = golden_angle_radial(1, SPOKES, 16)
    samples = np.ones((1, 2, SPOKES, 32), np.complex64)
    affine = Geometry.centred((1, 16, 16), (2.0, 2.0, 8.0)).affine
    data = KSpace(
        samples,
        affine,
        np.array([SPOKES * SHOT_S / 2]),
        image_shape=(1, 16, 16),
        trajectory=trajectory,
        metadata={"repetition_time_s": SHOT_S},
    )
    return io.write(tmp_path / "spokes.h5", data)


def test_frames_of_a_chosen_number_of_shots(panel: PanelDriver, spokes: Path, scan: Path) -> None:
    panel.choose_method("gridding")
    panel.open_scan(spokes)
    assert not panel.ui.shotsPerFrameWidget.isHidden()
    assert "1 frame, 2 coils" in panel.text("infoLabel")
    assert panel.widget.panel.input.readOptions() == {}
    panel.ui.shotsPerFrameSpin.setValue(8)
    assert panel.wait(lambda: "3 frames" in panel.text("infoLabel") and panel.can_reconstruct(), 30)
    assert "A frame every 32 ms" in panel.text("infoLabel")
    sequence = panel.reconstruct()
    assert sequence.GetNumberOfDataNodes() == 3
    times = [float(sequence.GetNthIndexValue(i)) for i in range(3)]
    np.testing.assert_allclose(times, [0.016, 0.048, 0.080], atol=1e-3)
    panel.ui.shotsPerFrameSpin.setValue(25)
    assert panel.wait(lambda: "only 24 shots" in panel.text("infoLabel"), 30)
    assert not panel.ui.shotsPerFrameWidget.isHidden()
    panel.open_scan(scan)
    assert panel.ui.shotsPerFrameSpin.property("value") == 0
    assert panel.ui.shotsPerFrameWidget.isHidden()


def test_the_number_comes_back_with_the_scene(panel: PanelDriver, spokes: Path, tmp_path: Path) -> None:
    panel.choose_method("gridding")
    panel.open_scan(spokes)
    panel.ui.shotsPerFrameSpin.setValue(12)
    panel.widget.exit()
    path = str(tmp_path / "scene.mrml")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    assert panel.ui.shotsPerFrameSpin.property("value") == 12
    assert panel.wait(lambda: "2 frames" in panel.text("infoLabel"), 30), panel.text("infoLabel")
