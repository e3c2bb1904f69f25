"""The comparison picture: what is drawn where, in which window, and to which scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.evaluation.comparison_picture import Row, write_comparison_png
from DynamicMRIReconLib.profiles import drawing


def cine() -> ImageSeries:
    y, x = np.mgrid[:30, :40]
    frames = [np.hypot(x - 20, y - 14) < 5 + t for t in range(6)]
    array = 0.2 + np.array(frames, np.float32)[:, None]
    return ImageSeries(array, np.diag([1.5, 1.5, 8.0, 1.0]), 0.04 * np.arange(6))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    figures: list[Any] = []
    save = drawing.save_png

    def keep(figure: Any, path: Any) -> Path:
        figures.append(figure)
        return save(figure, path)

    monkeypatch.setattr(drawing, "save_png", keep)
    return figures


def test_rows_are_scaled_and_share_one_window(tmp_path: Path, drawn: list[Any]) -> None:
    truth = cine()
    # twice as bright, with one frame wrong by a tenth of the truth's brightest value: scaling comes before errors
    wrong = 2 * truth.array.copy()
    wrong[3, 0, 10, 20] += 0.24
    rows = [Row("double", ImageSeries(wrong, truth.affine, truth.times_s))]
    path = write_comparison_png(
        truth,
        rows,
        tmp_path / "c.png",
        frames={"diastole": 5, "systole": 3},
        box=(5, 2, 35, 26),
        line_ras_mm=((15.0, 21.0, 0.0), (50.0, 21.0, 0.0)),
        caption="simulated",
    )
    assert path.read_bytes().startswith(b"\x89PNG")
    (figure,) = drawn
    pictures = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(pictures) == 2 + 4, "two frames of the truth, two frames and two errors of the row"
    np.testing.assert_array_equal(pictures[0].get_array(), truth.array[5, 0, 2:26, 5:35])
    np.testing.assert_array_equal(pictures[1].get_array(), truth.array[3, 0, 2:26, 5:35])
    np.testing.assert_allclose(pictures[2].get_array(), truth.array[5, 0, 2:26, 5:35], rtol=1e-3)
    error = pictures[5].get_array()
    assert np.unravel_index(error.argmax(), error.shape) == (8, 15)
    assert error.max() == pytest.approx(5 * 0.12, rel=0.01)
    assert pictures[4].get_array().max() < 0.01
    assert len({picture.get_clim() for picture in pictures}) == 1
    texts = " ".join(text.get_text() for text in figure.findobj(lambda o: hasattr(o, "get_text")))
    assert "simulated" in texts
    assert "errors are multiplied by 5" in texts
    assert "double" in texts
