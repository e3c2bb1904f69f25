"""The pictures show what is in the scene: a panel with the result, its image, the M-mode, the chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
import scans
from host import render
from PySide6.QtGui import QImage

from DynamicMRIReconLib import io

pytestmark = pytest.mark.skipif(render.rendering_missing() is not None, reason=str(render.rendering_missing()))


def _pixels(path: Path) -> np.ndarray:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    series = scans.images(frames=8).with_metadata(provenance={"method": "gridding"})
    return io.write(tmp_path / "gridding.seq.nrrd", series)


def test_picture_of_a_result_with_its_profile(slicer_host: Any, module: Any, result: Path, tmp_path: Path) -> None:
    ends = [tuple(scans.geometry(32).to_ras((14.0, y, 0.0))) for y in (12.0, 29.0)]
    output = pictures.make_panel_picture(result, tmp_path / "out" / "panel.png", line_ras_mm=(ends[0], ends[1]))
    picture = _pixels(output)
    height, width, _ = picture.shape
    assert width == 1500
    assert height >= 860
    panel, views = picture[:, :520], picture[:, 520:]
    for part in (panel, views[: height // 2, :490], views[: height // 2, 490:], views[height // 2 :]):
        assert part.std() > 15, "a part of the picture is empty"
    line_colour = (np.abs(views[: height // 2, :490] - (255, 128, 128)).sum(axis=-1) < 30).sum()
    assert line_colour > 100, "the line is not drawn over the image"


def test_picture_changes_with_the_result(slicer_host: Any, module: Any, result: Path, tmp_path: Path) -> None:
    first = _pixels(pictures.make_panel_picture(result, tmp_path / "first.png"))
    brighter = scans.images(frames=8)
    mirrored = brighter.array[..., ::-1].copy()
    other = io.write(tmp_path / "other.seq.nrrd", type(brighter)(mirrored, brighter.affine, brighter.times_s))
    second = _pixels(pictures.make_panel_picture(other, tmp_path / "second.png"))
    assert np.abs(first[:800, 520:] - second[:800, 520:]).mean() > 3


def test_line_text_is_checked() -> None:
    assert pictures.parse_line("1,2,3 -4,5,6.5") == ((1.0, 2.0, 3.0), (-4.0, 5.0, 6.5))
    with pytest.raises(Exception, match="r,a,s"):
        pictures.parse_line("1,2 3,4")
