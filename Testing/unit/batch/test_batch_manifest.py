"""Manifests: what is read from them, and what is refused before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from batch_cases import manifest, scan

from DynamicMRIReconLib.batch.manifest import COLUMNS, read_manifest
from DynamicMRIReconLib.batch.rows import checked_rows
from DynamicMRIReconLib.cli import build_parser, main
from DynamicMRIReconLib.cli_recon_job import job_of
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.job import Job, ReadSettings

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run ``batch`` in this process: exit code, output, errors."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["batch", *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def jobs(path: Path) -> list[Job]:
    make = lambda words: job_of(build_parser().parse_args(["recon", *words]))  # noqa: E731
    rows, complaints = checked_rows(read_manifest(path), path.parent, path.parent / "place", make)
    assert complaints == []
    return [row.job for row in rows]


def test_every_entry_of_a_job_has_a_column() -> None:
    without = {"version", "read", "inputs", "private", "memory_check"}
    entries = {*Job.model_fields, *ReadSettings.model_fields} - without
    assert entries | {"input", "grid", "no_memory_check"} == set(COLUMNS)


def test_cells_become_the_job_that_recon_would_make(tmp_path: Path) -> None:
    scan(tmp_path / "scan.npz", 0)
    scan(tmp_path / "coil maps.npz", 0)
    row: dict[str, object] = {
        "input": "scan.npz",
        "method": "cg-sense",
        "preset": "fast",
        "parameters": "iterations=7; tolerance = 0.01",
        "coil_maps": "coil maps.npz",
        "frames": "0:2",
        "device": "cpu",
        "seed": 5,
        "data_consistency": "yes",
        "transforms": "no",
        "shots_per_frame": 3,
        "output": tmp_path / "out.nii.gz",
    }
    (job,) = jobs(manifest(tmp_path / "cohort.csv", [row]))
    assert [one.path for one in job.inputs] == [str(tmp_path / "scan.npz")]
    assert job.parameters == {"iterations": 7, "tolerance": 0.01}
    assert (job.method, job.preset, job.frames, job.device, job.seed) == ("cg-sense", "fast", (0, 2), "cpu", 5)
    assert (job.data_consistency, job.transforms, job.read.shots_per_frame) == (True, False, 3)
    assert job.coil_maps is not None
    assert job.coil_maps.path == str(tmp_path / "coil maps.npz")
    assert job.output == str(tmp_path / "out.nii.gz")


def test_files_of_parameters_start_at_the_manifest(tmp_path: Path) -> None:
    scan(tmp_path / "scan.npz", 0)
    (tmp_path / "mine.safetensors").write_bytes(b"")
    rows: list[dict[str, object]] = [
        {"input": "scan.npz", "method": "miccan", "parameters": "weights=mine.safetensors", "output": "a.npz"},
        {"input": "scan.npz", "method": "st-inr", "parameters": "save_model=new.safetensors", "output": "b.npz"},
        {"input": "scan.npz", "method": "miccan", "parameters": "weights=miccan-speech", "output": "c.npz"},
    ]
    made = jobs(manifest(tmp_path / "cohort.csv", rows))
    assert made[0].parameters == {"weights": str(tmp_path / "mine.safetensors")}
    assert made[1].parameters == {"save_model": str(tmp_path / "new.safetensors")}
    assert made[2].parameters == {"weights": "miccan-speech"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_spreadsheets_are_read(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "cohort.csv"
    lines = ["# a cohort", "Input|Method|Coil maps|Output", "a.h5|tv|\u00fcber.npz|a.npz", "|||", "b.h5|tv||b.npz"]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).replace("|", separator).encode())
    first, second = read_manifest(path)
    assert (first.number, second.number) == (3, 5)
    assert first.cells == {"input": "a.h5", "method": "tv", "coil_maps": "\u00fcber.npz", "output": "a.npz"}
    assert second.cells == {"input": "b.h5", "method": "tv", "output": "b.npz"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has no jobs"),
        (b"input,method,output\n", "has no jobs"),
        (b"input,method\na,b\n", "lacks the column output"),
        (b"input,method,output,outputs\na,b,c,d\n", "Did you mean output?"),
        (b"input,method,output,input\na,b,c,d\n", "column input twice"),
        (b"\xff\xfei\0n\0", "not UTF-8"),
        (b"input,method,output\na,\0,c\n", "no text"),
        (b'input,method,output\na,"b"x,c\n', "line 2"),
        (b'input,method,output\na,"b,c\n', "no CSV table"),
        (b'input,method,output\n"' + b"a" * 200_000 + b'",b,c\n', "line 2: field larger"),
    ],
)
def test_what_is_no_manifest_is_refused_in_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        read_manifest(path)
    with pytest.raises(InputError, match="does not exist"):
        read_manifest(tmp_path / "other.csv")


def test_every_bad_row_is_named_and_nothing_starts(tmp_path: Path, call: Call) -> None:
    scan(tmp_path / "scan.npz", 0)
    (tmp_path / "taken.npz").write_bytes(b"somebody's")
    good: dict[str, object] = {"input": "scan.npz", "method": "gridding", "output": "good.npz"}
    path = manifest(
        tmp_path / "cohort.csv",
        [
            {**good, "preset": "", "parameters": "", "seed": "", "transforms": ""},
            {**good, "output": "3.npz", "method": "griding"},
            {**good, "output": "4.npz", "method": "cg-sense", "parameters": "iterations=-2"},
            {**good, "output": "5.npz", "parameters": "iterations"},
            {**good, "output": "6.npz", "input": "nothing.h5"},
            {**good, "output": "7.xyz"},
            {**good, "output": "8.npz", "seed": "x"},
            {**good, "output": "9.npz", "transforms": "perhaps"},
            {**good, "output": ""},
            {**good, "output": "scan.npz"},
            {**good, "output": "taken.npz"},
            {**good, "output": "good.npz"},
            {**good, "output": "nowhere/13.npz"},
            {"input": "good.npz", "method": "ifnet", "output": "14.npz"},
            {**good, "output": "15.npz", "preset": "slow"},
        ],
    )
    before = sorted(tmp_path.iterdir())
    code, out, err = call(path, "--local")
    *sentences, last = err.splitlines()
    assert (code, out) == (2, "")
    assert last.endswith("14 of 15 rows of cohort.csv are wrong, see above; nothing was started.")
    assert sorted(tmp_path.iterdir()) == before
    wanted = [
        "There is no method 'griding'. Did you mean 'gridding'?",
        "iterations = '-2': input should be greater than or equal to 1",
        "write name=value",
        f"{tmp_path / 'nothing.h5'} does not exist",
        "7.xyz does not end in a file type",
        "seed: invalid int value: 'x'",
        "transforms = 'perhaps': write yes or no",
        "the cell output is empty",
        "is also an input",
        "exists already and is not from this batch",
        "line 2 writes",
        "nowhere does not exist",
        f"{tmp_path / 'good.npz'} does not exist",
        "has no preset 'slow'",
    ]
    assert len(sentences) == len(wanted)
    for number, (sentence, words) in enumerate(zip(sentences, wanted, strict=True), 3):
        assert sentence.startswith(f"cohort.csv, line {number}: ")
        assert words in sentence, sentence


def test_a_row_that_reads_what_another_makes_is_refused(tmp_path: Path, call: Call) -> None:
    scan(tmp_path / "scan.npz", 0)
    scan(tmp_path / "next.npz", 0)
    rows: list[dict[str, object]] = [
        {"input": "scan.npz", "method": "gridding", "output": "next.npz"},
        {"input": "next.npz", "method": "gridding", "output": "last.npz"},
    ]
    code, _, err = call(manifest(tmp_path / "cohort.csv", rows), "--local", "--overwrite")
    assert code == 2
    assert "line 3: it reads what line 2 makes" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--local", "--workers", "2"], "--local runs the rows here"),
        (["--scheduler", "tcp://127.0.0.1:1", "--workers", "2"], "the scheduler has its own"),
        (["--tls-key", "key.pem"], "go with --scheduler"),
        (["--workers", "0"], "a number from 1 to 1024"),
        (["--threads", "-1"], "a number from 1 to 1024"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, call: Call, words: list[str], sentence: str) -> None:
    code, _, err = call(tmp_path / "cohort.csv", *words)
    assert code == 2
    assert sentence in err


def test_a_manifest_can_be_checked_alone(tmp_path: Path, call: Call) -> None:
    scan(tmp_path / "scan.npz", 0)
    path = manifest(tmp_path / "cohort.csv", [{"input": "scan.npz", "method": "gridding", "output": "out.npz"}])
    assert call(path, "--check") == (0, "cohort.csv is right (1 row).\n", "")
    assert not (tmp_path / "cohort-batch").exists()


def test_without_dask_the_sentence_says_what_to_do(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    code, _, err = call(tmp_path / "cohort.csv")
    assert code == 2
    assert "Dask is not installed: pip install 'dynamic-mri-recon[cluster]'" in err
    assert "--local" in err
