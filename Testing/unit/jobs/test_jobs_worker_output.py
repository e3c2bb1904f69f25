"""The further output of a job: written where it was asked for, never over what is not its own, gone when it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worker_files import STAYS_ON_FAILURE, change, last, names

from DynamicMRIReconLib import io
from DynamicMRIReconLib.jobs import files, steps
from DynamicMRIReconLib.jobs.worker import run_job


def test_extra_output_is_written_and_never_replaces_what_is_not_ours(job_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.nii.gz"
    change(job_folder, output=output)
    output.write_text("precious", encoding="utf-8")
    assert run_job(job_folder) == 2
    assert "exists already" in last(job_folder)["message"]
    assert output.read_text(encoding="utf-8") == "precious"
    output.unlink()
    assert run_job(job_folder) == 0
    assert last(job_folder)["output"] == str(output)
    expected = io.read(job_folder / "result.seq.nrrd").array
    np.testing.assert_allclose(io.read(output).array, expected, rtol=1e-6)
    assert run_job(job_folder) == 0, "a repeat replaces its own output"
    output.write_text("precious", encoding="utf-8")
    assert run_job(job_folder) == 2
    (job_folder / "provenance.json").write_text('{"output": "x"}', encoding="utf-8")
    assert run_job(job_folder) == 2
    assert run_job(job_folder, overwrite=True) == 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_output_is_never_an_input(job_folder: Path, series_file: Path) -> None:
    change(job_folder, output=series_file)
    before = series_file.read_bytes()
    assert run_job(job_folder, overwrite=True) == 2
    assert "also an input" in last(job_folder)["message"]
    assert series_file.read_bytes() == before


@pytest.mark.parametrize(
    "record",
    ["[" * 100_000, "null", '{"output": 7}', '{"output": {"parts": 7}}', '{"output": {"parts": {"a": 1}}}']
    + [f'{{"output": {{"transforms": {value}}}}}' for value in ("7", "[7]", '["/dev/zero"]', '"x"')],
)
def test_a_record_of_a_stranger_does_no_harm(job_folder: Path, tmp_path: Path, record: str) -> None:
    change(job_folder, output=str(tmp_path / "extra.npz"))
    (job_folder / "provenance.json").write_text(record, encoding="utf-8")
    assert run_job(job_folder) == 0
    (tmp_path / "extra.npz").write_bytes(b"somebody's")
    (job_folder / "provenance.json").write_text(record, encoding="utf-8")
    assert run_job(job_folder) == 2
    assert (tmp_path / "extra.npz").read_bytes() == b"somebody's"


@pytest.mark.parametrize("name", ["a" * 5000 + ".npz", "a\0.npz"])
def test_an_output_that_no_file_can_be_is_refused_at_once(job_folder: Path, name: str) -> None:
    change(job_folder, output=name)
    assert run_job(job_folder) == 2
    assert "cannot be a file" in last(job_folder)["message"]


def test_an_output_that_could_not_be_hashed_is_taken_back(
    job_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "extra.npz"
    change(job_folder, output=str(output))

    def hashed(path: Path, each_piece: Any = None) -> str:
        if path == output:
            assert output.exists()
            raise MemoryError
        return "0" * 64

    with monkeypatch.context() as patch:
        patch.setattr(steps, "sha256_of", hashed)
        assert run_job(job_folder) == 1
    assert last(job_folder)["kind"] == "resource"
    assert not output.exists()


@pytest.mark.parametrize("suffix", ["npz", "dicom"])
def test_an_output_whose_record_could_not_be_written_is_taken_back(
    job_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    output = tmp_path / f"extra.{suffix}"
    change(job_folder, output=str(output))
    write = files.write_json

    def full(path: Path, value: Any) -> None:
        if path.name == files.PROVENANCE:
            assert output.exists()
            raise OSError(28, "No space left on device")
        write(path, value)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_json", full)
        assert run_job(job_folder) == 1
    assert "disk is full" in last(job_folder)["message"]
    assert names(job_folder) == STAYS_ON_FAILURE
    assert not output.exists()
    assert run_job(job_folder) == 0
    assert output.exists()
