"""``recon --sweep`` from beginning to end, and ``recon`` of a method with parts."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import io

RECON = ("recon", "--device", "cpu")


@pytest.fixture
def noisy_file(tmp_path: Path, kspace_file: Path) -> Path:
    """The scan with noise, and beside it the noiseless truth as ``truth.npz``."""
    kspace = io.read(kspace_file)
    io.write(tmp_path / "truth.npz", dmr.reconstruct(kspace, "cg-sense", device="cpu", iterations=30, regularization=0))
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((2, *kspace.samples.shape)) * 0.3
    return io.write(tmp_path / "noisy.npz", replace(kspace, samples=kspace.samples + noise[0] + 1j * noise[1]))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_the_best_by_the_reference_is_written(call: Any, noisy_file: Path, tmp_path: Path, temporary: Path) -> None:
    output = tmp_path / "out.npz"
    outcome = call(
        *RECON, noisy_file, "--method", "cg-sense", "--reference", tmp_path / "truth.npz", "--output", output,
        "--sweep", "regularization=1e-4,0.1", "--set", "iterations=8",
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    assert list(temporary.iterdir()) == []
    with (tmp_path / "out-sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["regularization"]) for row in rows] == [1e-4, 0.1]
    best = max(range(2), key=lambda i: float(rows[i]["psnr_db"]))
    assert [int(row["chosen"]) for row in rows] == [int(i == best) for i in range(2)]
    result = io.read(output)
    weight = float(rows[best]["regularization"])
    assert result.metadata["provenance"]["parameters"]["regularization"] == weight
    assert "highest PSNR" in result.metadata["sweep"]["reason"]
    expected = dmr.reconstruct(io.read(noisy_file), "cg-sense", device="cpu", regularization=weight, iterations=8)
    np.testing.assert_array_equal(result.array, expected.array)
    marked = [line for line in outcome.out.splitlines() if line.startswith("| best")]
    assert len(marked) == 1
    assert f"{float(rows[best]['psnr_db']):.2f}" in marked[0]
    assert "highest PSNR" in outcome.out
    assert not (tmp_path / "out-l-curve.png").exists()


def test_without_a_reference_an_l_curve_is_drawn(call: Any, noisy_file: Path, tmp_path: Path, temporary: Path) -> None:
    output = tmp_path / "out.seq.nrrd"
    outcome = call(
        *RECON, noisy_file, "--method", "cg-sense", "--output", output, "--events",
        "--sweep", "regularization=1e-3,0.1,1,10",
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    events = [json.loads(line) for line in outcome.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("started", "done")
    assert (kinds.count("started"), kinds.count("done")) == (1, 1)
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    done = events[-1]
    assert done["path"] == str(output)
    assert "suggested" in done["reason"].lower()
    assert Path(done["l_curve"]).read_bytes().startswith(b"\x89PNG")
    assert Path(done["l_curve"]).name == "out-l-curve.png"
    with Path(done["sweep"]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    misfits = [float(row["misfit"]) for row in rows]
    assert misfits == sorted(misfits)
    chosen = [float(row["regularization"]) for row in rows if row["chosen"] == "1"]
    assert chosen == [done["chosen"]["regularization"]]
    assert io.read(output).metadata["provenance"]["parameters"]["regularization"] == chosen[0]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep", "regularization"), "name=value"),
        (("--sweep", "regularization=0.1,,0.2"), "empty value"),
        (("--sweep", "regularization=0.1,0.2", "regularization=0.3"), "twice"),
        (("--sweep", "lambda=0.1,0.2"), "no parameter 'lambda'"),
        (("--sweep", "regularization=0.1,1000,3"), "regularization"),
        (("--sweep", "regularization=0.1,1,3", "--set", "regularization=0.2"), "fixed value"),
        (("--sweep", "iterations=" + ",".join(map(str, range(1, 102)))), "101 points"),
        (("--sweep", "iterations=1,2,3"), "reference"),
    ],
)
def test_a_wrong_sweep_is_one_line_and_nothing_runs(
    call: Any, kspace_file: Path, tmp_path: Path, unchanged: Any, words: tuple[str, ...], message: str
) -> None:
    unchanged()
    outcome = call(*RECON, kspace_file, "--method", "cg-sense", "--output", tmp_path / "out.npz", *words)
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert unchanged()


def test_a_table_that_would_replace_the_input_is_refused(call: Any, kspace_file: Path, tmp_path: Path) -> None:
    source = tmp_path / "out-l-curve.png"
    source.write_bytes(kspace_file.read_bytes())
    outcome = call(
        *RECON, source, "--method", "cg-sense", "--output", tmp_path / "out.npz", "--sweep", "regularization=1,2,3"
    )
    assert outcome.code == 2
    assert "also an input" in outcome.err


def test_a_worker_that_fails_ends_the_sweep_and_says_why(
    call: Any, kspace_file: Path, tmp_path: Path, temporary: Path
) -> None:
    kspace_file.write_bytes(kspace_file.read_bytes()[:-200])
    words = ("--method", "cg-sense", "--output", tmp_path / "out.npz", "--sweep", "regularization=1,2,3", "--events")
    outcome = call(*RECON, kspace_file, *words)
    assert outcome.code == 2
    assert kspace_file.name in outcome.err
    last = json.loads(outcome.out.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("error", "input")
    assert list(temporary.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {kspace_file.name, "temporary"}


def test_sweep_does_not_go_with_a_job_folder(call: Any, tmp_path: Path) -> None:
    outcome = call("recon", "--job", tmp_path, "--sweep", "iterations=1,2")
    assert outcome.code == 2
    assert "--job" in outcome.err


def test_parts_are_written_beside_the_output_and_named(call: Any, kspace_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.seq.nrrd"
    method = ("--method", "low-rank-sparse", "--set", "iterations=2")
    outcome = call(*RECON, kspace_file, *method, "--output", output)
    assert (outcome.code, outcome.err) == (0, "")
    beside = [tmp_path / f"out.{name}.seq.nrrd" for name in ("low-rank", "sparse")]
    assert f"-> {output}, {beside[0]}, {beside[1]}. Not for diagnostic use." in outcome.out
    assert [io.read(path).metadata["part"] for path in beside] == ["low-rank", "sparse"]
    outcome = call(*RECON, kspace_file, *method, "--output", tmp_path / "out.npz", "--events")
    assert json.loads(outcome.out.splitlines()[-1])["parts"] == {}
    assert list(io.read(tmp_path / "out.npz").parts) == ["low-rank", "sparse"]
