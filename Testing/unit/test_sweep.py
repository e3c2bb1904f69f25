"""Sweeps in this process: which points there are, which is chosen and why, and what is refused before anything runs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import sweep as sweeping
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.evaluation.sweep_report import sweep_table, write_sweep_csv
from DynamicMRIReconLib.sweep import Trial, checked_points, choose, sweep


def case() -> tuple[KSpace, ImageSeries]:
    """Two coils of a bright square, every second line measured, with noise."""
    rng = np.random.default_rng(0)
    images = np.zeros((3, 1, 1, 16, 20), np.complex64)
    images[..., 4:12, 5:15] = 1.0
    phase = np.exp(1j * np.linspace(0, 3, 20)) / np.sqrt(2)
    maps = np.broadcast_to(np.stack([phase, phase.conj()])[:, None, None, :], (2, 1, 16, 20)).astype(np.complex64)
    shifted = np.fft.ifftshift(images * maps, axes=(-2, -1))
    samples = np.fft.fftshift(np.fft.fft2(shifted, norm="ortho"), axes=(-2, -1))
    samples = samples + 0.1 * (rng.standard_normal(samples.shape) + 1j * rng.standard_normal(samples.shape))
    mask = np.ones((3, 1, 16, 20), bool)
    mask[:, :, ::2] = False
    kspace = KSpace(samples * mask[:, None], np.eye(4), np.arange(3.0), mask=mask, coil_maps=maps)
    return kspace, ImageSeries(np.abs(images[:, 0]), np.eye(4), np.arange(3.0))


def refuse_to_run(*_: Any, **__: Any) -> Any:
    raise AssertionError("something ran")


@pytest.mark.parametrize(
    ("method", "grid", "fixed", "referenced", "words"),
    [
        ("cg-sense", {"steps": [1, 2]}, {}, True, "no parameter 'steps'; it has: .*regularization"),
        ("no-such", {"steps": [1, 2]}, {}, True, "no method"),
        ("cg-sense", {"iterations": [2, 0]}, {}, True, "iterations = 0"),
        ("cg-sense", {"iterations": [2, "many"]}, {}, True, "iterations = 'many'"),
        ("cg-sense", {"iterations": [2, 4]}, {"iterations": 3}, True, "fixed value as well"),
        ("cg-sense", {"iterations": []}, {}, True, "no values"),
        ("cg-sense", {"iterations": [4, "4"]}, {}, True, "same value twice"),
        ("cg-sense", {"iterations": [4]}, {}, True, "1 point: give 2"),
        ("cg-sense", {"iterations": range(1, 12), "coil_compression": range(1, 11)}, {}, True, "110 points"),
        ("cg-sense", {"regularization": [0.1, 0.2]}, {}, False, "3 or more values above 0"),
        ("cg-sense", {"regularization": [0, 0.1, 0.2]}, {}, False, "3 or more values above 0"),
        ("cg-sense", {"iterations": [1, 2, 3]}, {}, False, "over one weight \\(regularization\\)"),
        (
            "space-time",
            {"regularization": [0.1, 0.2, 0.3], "spatial_regularization": [0.1, 0.2]},
            {},
            False,
            "regularization or spatial_regularization",
        ),
        ("gridding", {"frames_at_once": [1, 2, 3]}, {}, False, "no regularization"),
    ],
)
def test_a_wrong_grid_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, method: str, grid: Any, fixed: Any, referenced: bool, words: str
) -> None:
    monkeypatch.setattr(sweeping, "reconstruct", refuse_to_run)
    kspace, truth = case()
    with pytest.raises(InputError, match=words):
        sweep(kspace, method, grid, reference=truth if referenced else None, **fixed)


def test_the_last_name_changes_fastest_and_texts_become_values() -> None:
    grid = {"iterations": ["2", "5"], "regularization": ["0", "1e-2"]}
    points = checked_points("cg-sense", "standard", {}, grid, referenced=True)
    expected = [(2, 0.0), (2, 0.01), (5, 0.0), (5, 0.01)]
    assert [(point["iterations"], point["regularization"]) for point in points] == expected


def test_the_best_by_a_reference_is_found_and_its_series_given() -> None:
    kspace, truth = case()
    weights = [1e-4, 0.03, 30.0]
    fractions: list[float] = []
    result = sweep(
        kspace,
        "cg-sense",
        {"regularization": weights},
        reference=truth,
        device="cpu",
        iterations=30,
        callback=lambda status: fractions.append(status.fraction),
    )
    singles = [
        dmr.reconstruct(kspace, "cg-sense", device="cpu", iterations=30, regularization=weight) for weight in weights
    ]
    psnr = [dmr.evaluate(series, truth)["psnr_db"]["mean"] for series in singles]
    found = [trial.metrics["psnr_db"]["mean"] for trial in result.trials if trial.metrics]
    np.testing.assert_allclose(found, psnr, atol=1e-3)
    assert result.choice.index == int(np.argmax(psnr))
    np.testing.assert_array_equal(result.series.array, singles[result.choice.index].array)
    assert "highest PSNR" in result.choice.reason
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_without_a_reference_the_corner_is_suggested_and_called_so() -> None:
    kspace, _ = case()
    weights = [10.0**e for e in range(-5, 3)]
    result = sweep(kspace, "cg-sense", {"regularization": weights}, device="cpu", iterations=20)
    assert all(trial.metrics is None for trial in result.trials)
    misfits = [trial.figures["misfit"] for trial in result.trials]
    assert misfits == sorted(misfits), "more weight, more misfit"
    assert "suggested" in result.choice.reason.lower()
    expected = dmr.reconstruct(
        kspace, "cg-sense", device="cpu", iterations=20, regularization=weights[result.choice.index]
    )
    np.testing.assert_array_equal(result.series.array, expected.array)


def test_the_callback_stops_the_sweep() -> None:
    kspace, truth = case()
    with pytest.raises(Cancelled):
        sweep(
            kspace,
            "cg-sense",
            {"iterations": [3, 4]},
            reference=truth,
            device="cpu",
            callback=lambda status: status.fraction < 0.6,
        )


def trials(psnr: list[float]) -> list[Trial]:
    metrics = [{name: {"mean": value} for name in ("psnr_db", "ssim", "nrmse")} for value in psnr]
    values = [0.1, 0.2, 0.4]
    return [
        Trial({"regularization": v}, 1.5, {**m, "moving": None}, {"misfit": v})
        for v, m in zip(values, metrics, strict=True)
    ]


def test_a_best_at_the_edge_of_the_grid_is_pointed_out() -> None:
    assert "edge" not in choose(trials([1.0, 3.0, 2.0]), {}).reason
    edge = choose(trials([1.0, 2.0, 3.0]), {})
    assert edge.index == 2
    assert "regularization = 0.4 lies at the edge" in edge.reason


def test_table_and_csv_show_every_trial_and_mark_one(tmp_path: Path) -> None:
    text = sweep_table(trials([1.0, 3.0, 2.0]), 1, "best").splitlines()
    assert len(text) == 2 + 3
    assert [line.startswith("| best") for line in text[2:]] == [False, True, False]
    assert "3.00" in text[3]
    path = write_sweep_csv(trials([1.0, 3.0, 2.0]), 1, tmp_path / "s.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["chosen"] for row in rows] == ["0", "1", "0"]
    assert [float(row["psnr_db"]) for row in rows] == [1.0, 3.0, 2.0]
    assert [float(row["misfit"]) for row in rows] == [0.1, 0.2, 0.4]
    assert rows[0]["psnr_moving_db"] == ""
