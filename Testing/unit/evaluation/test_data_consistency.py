"""The unexplained part of the measured data against numbers worked out by hand, and through a job."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kspace_cases import OBLIQUE, coil_maps, grid_samples, movie, radial, sample

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation import data_consistency
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.worker import run_job

TIMES = np.arange(3) * 0.05


def cartesian(slices: int = 2) -> tuple[KSpace, ImageSeries]:
    shape = (slices, 18, 20)
    images, maps = movie(3, shape), coil_maps(4, shape)
    samples = grid_samples(images[:, None] * maps[None])
    mask = np.random.default_rng(3).random((3, slices, 18, 20)) < 0.6
    kspace = KSpace(samples * mask[:, None], OBLIQUE, TIMES, mask=mask, coil_maps=maps)
    return kspace, ImageSeries(images, OBLIQUE, TIMES)


def non_cartesian() -> tuple[KSpace, ImageSeries]:
    shape = (1, 20, 24)
    images, maps = movie(3, shape), coil_maps(3, shape)
    trajectory, _ = radial(3, 9, shape[1:])
    samples = sample((images[:, None] * maps[None])[:, :, 0], trajectory)
    kspace = KSpace(samples, OBLIQUE, TIMES, trajectory=trajectory, coil_maps=maps, image_shape=shape)
    return kspace, ImageSeries(images, OBLIQUE, TIMES)


@pytest.mark.parametrize("case", [cartesian, non_cartesian])
def test_the_truth_explains_everything_and_nothing_explains_nothing(case: object) -> None:
    kspace, truth = case()  # type: ignore[operator]
    assert data_consistency(kspace, truth).max() < 2e-3
    np.testing.assert_allclose(data_consistency(kspace, replace(truth, array=1e-9 * truth.array)), 1.0, rtol=1e-5)
    # A scaled image leaves its share; one wrong frame is the only one that stands out.
    np.testing.assert_allclose(data_consistency(kspace, replace(truth, array=0.9 * truth.array)), 0.1, atol=2e-3)
    array = truth.array.copy()
    array[1] *= 0.7
    np.testing.assert_allclose(data_consistency(kspace, replace(truth, array=array)), [0, 0.3, 0], atol=2e-3)


def test_noise_leaves_its_share() -> None:
    kspace, truth = cartesian()
    rng = np.random.default_rng(5)
    mask = np.broadcast_to(kspace.mask[:, None], kspace.samples.shape)  # type: ignore[index]
    noise = (rng.normal(0, 0.01, mask.shape) + 1j * rng.normal(0, 0.01, mask.shape)) * mask
    noisy = replace(kspace, samples=(kspace.samples + noise).astype(np.complex64))
    axes = (1, 2, 3, 4)
    expected = np.sqrt((np.abs(noise) ** 2).sum(axes) / (np.abs(noisy.samples) ** 2).sum(axes))
    np.testing.assert_allclose(data_consistency(noisy, truth), expected, rtol=1e-3)


def test_any_unit_of_the_scanner() -> None:
    kspace, truth = cartesian()
    for factor in (1e-24, 1e24):
        scaled = replace(kspace, samples=(kspace.samples * factor).astype(np.complex64))
        found = data_consistency(scaled, replace(truth, array=0.9 * truth.array * factor))
        np.testing.assert_allclose(found, 0.1, atol=2e-3)


def test_refused() -> None:
    kspace, truth = cartesian()
    with pytest.raises(InputError, match="no phase"):
        data_consistency(kspace, truth.magnitude())
    with pytest.raises(InputError, match="no phase"):
        data_consistency(kspace, replace(truth, array=np.abs(truth.array).astype(np.complex64)))
    with pytest.raises(InputError, match="do not fit"):
        data_consistency(kspace, replace(truth, array=truth.array[:, :1]))
    samples = kspace.samples.copy()
    samples[1] = 0
    with pytest.raises(InputError, match="Frame 1 holds no signal"):
        data_consistency(replace(kspace, samples=samples), truth)


def test_whoever_hears_of_the_progress_may_stop_it() -> None:
    def stop(_fraction: float) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        data_consistency(*cartesian(), progress=stop)


def test_no_memory_for_it_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("DynamicMRIReconLib.evaluation.data_consistency", full)
    scan = dmr.write(tmp_path / "scan.npz", cartesian(slices=1)[0])
    Job.of(method="cg-sense", inputs=[scan], device="cpu", data_consistency=True).save(tmp_path / "job")
    events: list[dict[str, object]] = []
    assert run_job(tmp_path / "job", listener=events.append) == 0
    assert events[-1]["data_consistency"] is None
    assert any("no memory left" in str(event.get("message")) for event in events)


def test_a_job_tells_it_when_asked(tmp_path: Path) -> None:
    kspace, _ = cartesian(slices=1)
    scan = dmr.write(tmp_path / "scan.npz", kspace)
    told = []
    for number, asked in enumerate((True, False)):
        folder = tmp_path / str(number)
        Job.of(method="cg-sense", inputs=[scan], device="cpu", data_consistency=asked).save(folder)
        last: dict[str, object] = {}
        assert run_job(folder, listener=last.update) == 0
        record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        told.append((last["data_consistency"], record["data_consistency"]))
    mean, frames = told[0]
    assert len(frames) == 3
    assert mean == pytest.approx(np.mean(frames))
    assert 0 < max(frames) < 0.05
    assert told[1] == (None, None)
