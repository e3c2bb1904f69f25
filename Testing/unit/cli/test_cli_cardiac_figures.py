"""CardiacPSNR and CardiacSSIM from the command line, of a job, and in the console: the same figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.degradation import degraded
from DynamicMRIReconLib.cardiac.region import heart_box, published_box
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation.cardiac import cardiac_figures
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.checks import check_job
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.methods.common.finer_grid import on_finer_grid
from DynamicMRIReconLib.phantoms.heart import HeartScene

SIZE, FRAMES = 96, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``truth.npz``, a beating heart, and ``coarse.npz``, the same with voxels twice as large."""
    found = tmp_path_factory.mktemp("heart")
    scene = HeartScene(0, respiration_mm=0)
    times = scene.cycle.period_s / FRAMES * np.arange(FRAMES)
    fine = np.abs(scene.render(times, (1, SIZE, SIZE)))
    coarse = dmr.ImageSeries(degraded(fine, 2), scene.geometry((1, SIZE // 2, SIZE // 2)).affine, times)
    dmr.write(found / "coarse.npz", coarse)
    dmr.write(found / "truth.npz", on_finer_grid(coarse, fine.astype(np.float32), 2))
    dmr.write(found / "result.npz", dmr.reconstruct(coarse, "bicubic", scale=2))
    still = np.repeat(fine[:1], FRAMES, axis=0).astype(np.float32)
    dmr.write(found / "still.npz", on_finer_grid(coarse, still, 2))
    return found


def test_the_box_is_that_of_the_reference(folder: Path) -> None:
    result, truth = dmr.read(folder / "result.npz"), dmr.read(folder / "truth.npz")
    bright = float(np.percentile(truth.array, 99.5))
    for rule, box in (("auto", heart_box(truth.array)), ("published", published_box(truth.array))):
        found = dmr.evaluate(result, truth, cardiac=rule, scaled=False)["cardiac"]
        assert (found["rule"], found["box"]) == (rule, list(box))
        expected = cardiac_figures(result.array, truth.array, box, bright=bright, parity=rule == "published")
        assert {name: found[name] for name in expected} == pytest.approx(expected)
    measures = dmr.evaluate(result, truth, cardiac=(20, 10, 60, 50))
    assert (measures["cardiac"]["rule"], measures["cardiac"]["box"]) == ("given", [20, 10, 60, 50])
    assert dmr.evaluate(result, truth, cardiac=np.array([20, 10, 60, 50]))["cardiac"] == measures["cardiac"]
    scaled = cardiac_figures(result.array * measures["scale"], truth.array, (20, 10, 60, 50), bright=bright)
    assert measures["cardiac"]["cardiac_psnr_db"] == pytest.approx(scaled["cardiac_psnr_db"], abs=1e-3)
    assert dmr.evaluate(result, truth)["cardiac"] is None


def test_evaluate_prints_the_figures_and_the_box(call: Any, folder: Path) -> None:
    words = ("evaluate", folder / "result.npz", folder / "truth.npz")
    expected = dmr.evaluate(dmr.read(folder / "result.npz"), dmr.read(folder / "truth.npz"), cardiac="auto")["cardiac"]
    outcome = call(*words, "--cardiac", "auto", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["cardiac"] == expected
    said = call(*words, "--cardiac", "auto").out
    assert f"CardiacPSNR: {expected['cardiac_psnr_db']:.2f} dB" in said
    assert f"CardiacSSIM: {expected['cardiac_ssim']:.4f}" in said
    assert "Heart (auto): " + ",".join(map(str, expected["box"])) in said
    assert "Cardiac" not in call(*words).out
    assert json.loads(call(*words, "--cardiac", "20,10,60,50", "--json").out)["cardiac"]["box"] == [20, 10, 60, 50]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("auto", "need a beating heart in the reference"),
        ("published", "need a beating heart in the reference"),
        ("heart", "auto, published, or four whole numbers"),
        ("0,0,5,5", "too small for SSIM"),
        ("90,0,500,20", "outside the image"),
    ],
)
def test_what_cannot_be_had_is_a_sentence(call: Any, folder: Path, rule: str, words: str) -> None:
    outcome = call("evaluate", folder / "result.npz", folder / "still.npz", "--cardiac", rule)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_job_keeps_them_in_its_record(folder: Path, call: Any, tmp_path: Path) -> None:
    job = Job(method="bicubic", inputs=[folder / "coarse.npz"], reference=folder / "truth.npz", cardiac="auto")
    job.save(tmp_path / "job")
    outcome = call("recon", "--job", tmp_path / "job", "--events")
    assert outcome.code == 0
    record = json.loads((tmp_path / "job" / files.PROVENANCE).read_text(encoding="utf-8"))
    expected = dmr.evaluate(dmr.read(folder / "result.npz"), dmr.read(folder / "truth.npz"), cardiac="auto")
    assert record["metrics"]["cardiac"] == expected["cardiac"]
    assert "--cardiac auto" in record["command"]
    told = json.loads(outcome.out.splitlines()[-1])["metrics"]
    assert told["cardiac_psnr_db"] == pytest.approx(expected["cardiac"]["cardiac_psnr_db"])
    job.reference, job.cardiac = None, "auto"
    with pytest.raises(InputError, match="name one, or leave them out"):
        check_job(job, tmp_path)


def test_a_job_without_a_heart_has_the_other_figures_and_a_warning(folder: Path, call: Any, tmp_path: Path) -> None:
    job = Job(method="bicubic", inputs=[folder / "coarse.npz"], reference=folder / "still.npz", cardiac="auto")
    job.save(tmp_path / "job")
    assert call("recon", "--job", tmp_path / "job", "--events").code == 0
    record = json.loads((tmp_path / "job" / files.PROVENANCE).read_text(encoding="utf-8"))
    assert record["metrics"]["cardiac"] is None
    assert record["metrics"]["psnr_db"]["mean"] > 10
    assert any("need a beating heart" in sentence for sentence in record["warnings"])


def test_recon_takes_the_rule(call: Any, folder: Path, tmp_path: Path) -> None:
    words = ("recon", folder / "coarse.npz", "--method", "bicubic", "--output", tmp_path / "out.npz")
    outcome = call(*words, "--reference", folder / "truth.npz", "--cardiac", "middle")
    assert outcome.code == 2
    assert "auto, published, or four whole numbers" in outcome.err
    assert "name one, or leave them out" in call(*words, "--cardiac", "auto").err
    assert "takes everything from the job file" in call("recon", "--job", tmp_path, "--cardiac", "auto").err
