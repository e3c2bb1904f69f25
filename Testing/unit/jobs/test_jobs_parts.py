"""A result in parts, and figures: files of the job, the output beside them, and what is never replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.events import read_events
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.worker import run_job
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context, Estimate, Method, Parameters, parameter
from DynamicMRIReconLib.phantoms.marker import MarkerScene

PARTS = ("still", "moving")


class Split(Method):
    """The time average and the rest."""

    key = "split"
    title = "Split"
    description = "Test method."
    citation = "none"
    input_kind = "series"
    parts = PARTS

    class Parameters(Parameters):
        """Whether it fails at its end."""

        failure: bool = parameter(False, "Fail.")

    def estimate(self, data: Any, parameters: Any, device: str) -> Estimate:
        return Estimate(1.0, 0.0)

    def run(self, data: ImageSeries, parameters: Any, context: Context) -> ImageSeries:
        context.step(0.5, "splitting")
        if parameters.failure:
            raise InputError("As asked for.")
        for part in (context.part(0, 2), context.part(1, 2)):
            part.add_figures(misfit=1.5, penalty=0.25)
        still = np.broadcast_to(data.array.mean(axis=0), data.array.shape)
        return ImageSeries(
            data.array, data.affine, data.times_s, parts=dict(zip(PARTS, (still, data.array - still), strict=True))
        )


@pytest.fixture
def folder(tmp_path: Path, series_file: Path) -> Iterator[Path]:
    registry.all_methods()
    registry.register(Split)
    path = tmp_path / "job"
    Job(method="split", inputs=[series_file], device="cpu").save(path)
    yield path
    registry._registered.pop("split")


def change(folder: Path, **entries: Any) -> None:
    Job(**{**Job.load(folder).model_dump(), **entries}).save(folder)


def last(folder: Path) -> dict[str, Any]:
    return read_events(folder / "events.jsonl")[-1]


def in_folder(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("result*")}


def test_parts_are_written_beside_the_result_and_named(folder: Path, series_file: Path) -> None:
    assert run_job(folder) == 0
    done = last(folder)
    assert done["parts"] == {name: str(folder / f"result.{name}.seq.nrrd") for name in PARTS}
    assert done["output_parts"] == {}
    truth = io.read(series_file).array
    still = io.read(done["parts"]["still"])
    np.testing.assert_allclose(still.array, np.broadcast_to(truth.mean(axis=0), truth.shape), rtol=1e-5)
    assert still.metadata["provenance"]["parts"] == list(PARTS)
    origin = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert origin["parts"] == list(PARTS)
    assert origin["figures"] == {"misfit": 3.0, "penalty": 0.5}


def test_figures_do_not_add_up_over_repeats(folder: Path) -> None:
    for _ in range(2):
        assert run_job(folder) == 0
        assert io.read(folder / "result.seq.nrrd").metadata["figures"] == {"misfit": 3.0, "penalty": 0.5}


def test_old_parts_are_gone_when_a_repeat_starts_and_after_a_failure(folder: Path) -> None:
    assert run_job(folder) == 0
    (folder / "result.older.seq.nrrd").write_bytes(b"of another method")
    assert run_job(folder) == 0
    assert in_folder(folder) == {"result.seq.nrrd", *(f"result.{name}.seq.nrrd" for name in PARTS)}
    change(folder, parameters={"failure": True})
    assert run_job(folder) == 2
    assert in_folder(folder) == set()


def test_the_output_has_its_parts_beside_it_or_inside(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.nii.gz"
    change(folder, output=str(output))
    assert run_job(folder) == 0
    assert last(folder)["output_parts"] == {name: str(tmp_path / f"out.{name}.nii.gz") for name in PARTS}
    assert all((tmp_path / f"out.{name}.nii.gz").is_file() for name in PARTS)
    change(folder, output=str(tmp_path / "out.npz"))
    assert run_job(folder) == 0
    assert last(folder)["output_parts"] == {}
    assert tuple(io.read(tmp_path / "out.npz").parts) == PARTS


def test_a_strangers_file_in_the_place_of_a_part_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    change(folder, output=str(tmp_path / "out.seq.nrrd"))
    assert run_job(folder) == 0
    assert run_job(folder) == 0, "its own files may be replaced"
    stranger = tmp_path / "out.moving.seq.nrrd"
    stranger.write_bytes(b"somebody's work")
    assert run_job(folder) == 2
    assert str(stranger) in last(folder)["message"]
    assert stranger.read_bytes() == b"somebody's work"
    assert run_job(folder, overwrite=True) == 0
    assert stranger.read_bytes() != b"somebody's work"


def test_an_input_in_the_place_of_a_part_is_refused(folder: Path, tmp_path: Path, series_file: Path) -> None:
    source = tmp_path / "out.still.seq.nrrd"
    source.write_bytes(series_file.read_bytes())
    change(folder, inputs=[str(source)], output=str(tmp_path / "out.seq.nrrd"))
    assert run_job(folder, overwrite=True) == 2
    assert "also an input" in last(folder)["message"]
    assert source.read_bytes() == series_file.read_bytes()


def test_parts_that_only_some_parameters_make_are_guarded_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Split, "parts", ())
    monkeypatch.setattr(Split, "parts_of", lambda _self, parameters: () if parameters.failure else PARTS)
    test_a_strangers_file_in_the_place_of_a_part_is_not_replaced(folder, tmp_path)


def test_an_ensemble_keeps_place_and_time_and_replaces_nobodys_file(tmp_path: Path) -> None:
    values = {"matrix": 32, "frames": 4, "coils": 2, "shots": 40, "include_coil_maps": True}
    kspace, truth = simulate(MarkerScene(), SimulationParameters(**values))
    io.write(tmp_path / "scan.npz", kspace)
    job, output = tmp_path / "job", tmp_path / "out.seq.nrrd"
    settings = {"ensemble": 2, "iterations": 8}
    Job(method="st-inr", inputs=[tmp_path / "scan.npz"], output=output, parameters=settings, device="cpu").save(job)
    stranger = tmp_path / "out.uncertainty.seq.nrrd"
    stranger.write_bytes(b"somebody's work")
    assert run_job(job) == 2
    assert stranger.read_bytes() == b"somebody's work"
    assert not output.exists()
    stranger.unlink()
    assert run_job(job) == 0
    series, deviation = io.read(output), io.read(stranger)
    for found, true in zip(np.abs(series.array), np.abs(truth.array), strict=True):
        assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.99, "an F that is not mirrored, in its frame"
    np.testing.assert_allclose(deviation.affine, truth.affine, atol=1e-6)
    np.testing.assert_allclose(deviation.times_s, truth.times_s, atol=1e-6)
    assert deviation.array.shape == truth.array.shape
    assert np.isrealobj(deviation.array)
