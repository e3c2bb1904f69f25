"""The job file: what is saved is loaded; what is wrong is said."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import job as job_module
from DynamicMRIReconLib.jobs.hashes import files_of, sha256_of
from DynamicMRIReconLib.jobs.job import InputFile, Job
from DynamicMRIReconLib.jobs.provenance import shell_command

FULL: dict[str, Any] = {
    "method": "cg-sense",
    "preset": "fast",
    "parameters": {"iterations": 4, "nested": {"a": [1, None, True, 0.5, "x"]}},
    "inputs": [{"path": "scan.h5", "sha256": "0" * 64}],
    "read": {"axes": ["coils", "frames"], "frames_from": "phase", "shots_per_frame": 13},
    "coil_maps": {"path": "maps.npy"},
    "simulate": {"trajectory": "radial", "shots": 13},
    "device": "cuda:1",
    "seed": 7,
    "output": "out.npz",
}


def test_saved_job_loads_equal_and_leaves_no_other_file(tmp_path: Path) -> None:
    job = Job(**FULL)
    path = job.save(tmp_path / "new")
    assert path == tmp_path / "new" / "job.json"
    assert Job.load(tmp_path / "new") == job
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == 1
    assert [p.name for p in path.parent.iterdir()] == ["job.json"]


def test_paths_given_as_path_objects_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = Job(method="m", inputs=[Path("scan.h5")], reference=Path("r.nrrd"), output=Path("o.npz"))
    assert job.inputs[0].path == str(tmp_path / "scan.h5")
    assert job.reference is not None
    assert job.reference.path == str(tmp_path / "r.nrrd")
    assert job.output == str(tmp_path / "o.npz")


def test_text_paths_are_relative_to_the_job_folder(tmp_path: Path) -> None:
    job = Job(method="m", inputs=["scan.h5"], output="o.npz")
    assert job.inputs[0].resolved(tmp_path) == tmp_path / "scan.h5"
    assert job.output_path(tmp_path) == tmp_path / "o.npz"
    assert job.all_inputs() == [InputFile(path="scan.h5")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": None}, "method"),
        ({"method": ""}, "method"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [{"path": "a", "sha256": "xyz"}]}, "inputs.0.sha256"),
        ({"seed": -1}, "seed"),
        ({"version": 2}, "version"),
        ({"run_after": "rm"}, "run_after"),
        ({"read": {"axis": "x"}}, "read.axis"),
        ({"parameters": [1]}, "parameters"),
    ],
)
def test_wrong_entries_are_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (tmp_path / "job.json").write_text(json.dumps({**FULL, **change}), encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        Job.load(tmp_path)
    assert "job.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01", '{"method": NaN}', "[" * 10_000])
def test_files_that_are_no_job_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not a valid job file"):
        Job.load(tmp_path)


def test_missing_and_huge_job_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="does not exist: name a job folder"):
        Job.load(tmp_path)
    Job(**FULL).save(tmp_path)
    monkeypatch.setattr(job_module, "LARGEST_FILE_BYTES", 10)
    with pytest.raises(InputError, match="too large"):
        Job.load(tmp_path)


def test_saving_where_no_folder_can_be_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        Job(**FULL).save(tmp_path / "missing" / "job")


def test_hash_of_a_file_is_the_known_one_and_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InputError):
        sha256_of(path, stop)


def test_hash_of_a_pair_or_folder_covers_every_part(tmp_path: Path) -> None:
    for name, content in (("k.cfl", b"data"), ("k.hdr", b"size")):
        (tmp_path / name).write_bytes(content)
    pair = [tmp_path / "k.cfl", tmp_path / "k.hdr"]
    assert files_of(tmp_path / "k") == files_of(tmp_path / "k.cfl") == files_of(tmp_path / "k.hdr") == pair
    lines = "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in pair)
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert sha256_of(tmp_path / "k") == sha256_of(tmp_path) == expected
    (tmp_path / "k.hdr").write_bytes(b"other")
    assert sha256_of(tmp_path / "k.cfl") != expected


def test_command_repeats_the_job_and_hides_folders_when_asked() -> None:
    job = Job(**{**FULL, "parameters": {"iterations": 4, "on": True, "limit": None}, "inputs": ["/home/ann/s can.h5"]})
    words = shell_command(job)
    assert "'/home/ann/s can.h5'" in words
    for part in (
        "--method cg-sense --preset fast",
        "--set iterations=4 --set on=true --set limit=null",
        "--axes coils,frames --frames-from phase",
        "--coil-maps maps.npy",
        "--simulate trajectory=radial,shots=13",
        "--device cuda:1 --seed 7 --output out.npz",
    ):
        assert part in words
    assert "ann" not in shell_command(job, names_only=True)
