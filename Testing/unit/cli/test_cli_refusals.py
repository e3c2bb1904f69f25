"""Requests and inputs at fault: exit code 2, one clear line, no output file, inputs untouched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ismrmrd
import numpy as np
import pytest

from DynamicMRIReconLib import io


def text_named_h5(folder: Path) -> list[Any]:
    (folder / "in.h5").write_text("not really\n", encoding="utf-8")
    return [folder / "in.h5"]


def empty_file(folder: Path) -> list[Any]:
    (folder / "in.h5").touch()
    return [folder / "in.h5"]


def truncated_h5(folder: Path) -> list[Any]:
    whole = io.write(folder / "whole.h5", io.read(folder / "scan.npz"))
    (folder / "in.h5").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return [folder / "in.h5"]


def zero_acquisitions(folder: Path) -> list[Any]:
    whole = io.write(folder / "whole.h5", io.read(folder / "scan.npz"))
    with ismrmrd.Dataset(str(whole), "dataset", create_if_needed=False) as source:
        header = source.read_xml_header()
    with ismrmrd.Dataset(str(folder / "in.h5"), "dataset", create_if_needed=True) as target:
        target.write_xml_header(header)
    return [folder / "in.h5"]


def nan_samples(folder: Path) -> list[Any]:
    samples = np.ones((2, 1, 1, 8, 8), np.complex64)
    samples[1, 0, 0, 3, 3] = np.nan
    np.savez(folder / "in.npz", samples=samples)
    return [folder / "in.npz"]


def nan_samples_h5(folder: Path) -> list[Any]:
    path = io.write(folder / "in.h5", io.read(folder / "scan.npz"))
    with ismrmrd.Dataset(str(path), "dataset", create_if_needed=False) as dataset:
        acquisition = dataset.read_acquisition(3)
        acquisition.data[:] = np.nan
        dataset.append_acquisition(acquisition)
    return [path]


def mismatched_trajectory(folder: Path) -> list[Any]:
    samples = np.ones((2, 1, 5, 8), np.complex64)
    np.savez(folder / "in.npz", samples=samples, trajectory=np.zeros((2, 5, 7, 2), np.float32))
    return [folder / "in.npz"]


def npy_without_axes(folder: Path) -> list[Any]:
    np.save(folder / "in.npy", np.ones((2, 1, 8, 8), np.complex64))
    return [folder / "in.npy"]


def pickled_npy(folder: Path) -> list[Any]:
    np.save(folder / "in.npy", np.array([{"a": 1}], object), allow_pickle=True)
    return [folder / "in.npy", "--axes", "frames"]


BAD_INPUTS: list[tuple[Callable[[Path], list[Any]], str]] = [
    (lambda folder: [folder / "missing.h5"], "does not exist"),
    (text_named_h5, "is not an HDF5 file"),
    (empty_file, "empty"),
    (truncated_h5, "in.h5 is cut short"),
    (zero_acquisitions, "without ISMRMRD acquisitions"),
    (nan_samples, "NaN"),
    (nan_samples_h5, "NaN"),
    (mismatched_trajectory, "trajectory"),
    (npy_without_axes, "--axes"),
    (pickled_npy, "in.npy "),
]


@pytest.mark.parametrize("command", ["recon", "info"])
@pytest.mark.parametrize(("make", "words"), BAD_INPUTS, ids=lambda value: getattr(value, "__name__", ""))
def test_bad_input_is_refused(
    call: Any, tmp_path: Path, kspace_file: Path, unchanged: Any, make: Any, words: str, command: str
) -> None:
    given = make(tmp_path)
    rest = ["--method", "cg-sense", "--output", tmp_path / "out.seq.nrrd"] if command == "recon" else []
    assert unchanged()
    outcome = call(command, *given, *rest)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1, outcome.err
    assert words in outcome.err
    assert "Traceback" not in outcome.err + outcome.out
    assert unchanged(), "an output file, or an input that changed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "no-such"], "There is no method 'no-such'"),
        (["--method", "cg-sens"], "Did you mean 'cg-sense'"),
        (["--method", "cg-sense", "--set", "iterations=0"], "iterations"),
        (["--method", "cg-sense", "--set", "iterations=many"], "iterations"),
        (["--method", "cg-sense", "--set", "speed=3"], "no parameter 'speed'"),
        (["--method", "cg-sense", "--set", "iterations"], "name=value"),
        (["--method", "cg-sense", "--set", "iterations=3", "--set", "iterations=4"], "twice"),
        (["--method", "cg-sense", "--preset", "best"], "no preset 'best'"),
        (["--method", "cg-sense", "--output", "missing/out.seq.nrrd"], "missing does not exist"),
        (["--method", "cg-sense", "--output", "out.xyz"], "these can: .cfl, .dcm"),
        (["--method", "cg-sense", "--output", "."], "does not end in a file type"),
        (["--method", "cg-sense", "--output", "out.cfl"], "k-space only"),
        (["--method", "cg-sense", "--output", "scan.npz"], "also an input"),
        (["--method", "cg-sense", "--output", "./sub/../scan.npz"], "also an input"),
        (["--method", "cg-sense", "--reference", "none.nrrd"], "none.nrrd does not exist"),
        (["--method", "cg-sense", "--coil-maps", "none.npy"], "none.npy does not exist"),
        (["--method", "cg-sense", "--device", "tpu"], "Unknown device 'tpu'"),
        (["--method", "cg-sense", "--device", "cuda:x"], "Unknown device 'cuda:x'"),
        (["--method", "cg-sense", "--seed", "-1"], "seed"),
        (["--method", "cg-sense", "--seed", "x"], "--seed"),
        (["--method", "cg-sense", "--simulate", "shots"], "name=value"),
        (["--method", "cg-sense", "--nonsense"], "--nonsense"),
        ([], "--method"),
    ],
)
def test_bad_requests_are_refused_before_a_worker_starts(
    call: Any,
    tmp_path: Path,
    kspace_file: Path,
    unchanged: Any,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    from DynamicMRIReconLib.jobs import local_process

    def start(*_: Any) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(local_process, "start", start)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    output = [] if "--output" in words else ["--output", "out.seq.nrrd"]
    assert unchanged()
    outcome = call("recon", "scan.npz", *words, *output)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1, outcome.err
    assert message in outcome.err
    assert unchanged()


def test_a_refusal_is_an_event_for_whoever_asked_for_events(call: Any, tmp_path: Path, kspace_file: Path) -> None:
    outcome = call("recon", kspace_file, "--method", "no-such", "--output", tmp_path / "out.npz", "--events")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    (event,) = (json.loads(line) for line in outcome.out.splitlines())
    assert (event["event"], event["kind"]) == ("error", "input")
    assert event["message"] in outcome.err


def test_a_device_that_is_not_there_is_refused(
    call: Any, tmp_path: Path, kspace_file: Path, unchanged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert unchanged()
    outcome = call(
        "recon", kspace_file, "--method", "cg-sense", "--device", "cuda", "--output", tmp_path / "out.seq.nrrd"
    )
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "no usable CUDA device" in outcome.err
    assert unchanged()


def test_data_that_do_not_fit_the_method_are_refused(
    call: Any, tmp_path: Path, series_file: Path, unchanged: Any
) -> None:
    assert unchanged()
    outcome = call("recon", series_file, "--method", "gridding", "--output", tmp_path / "out.nii.gz")
    assert outcome.code == 2
    assert "needs k-space" in outcome.err
    assert unchanged()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "COMMAND"),
        (["reckon"], "reckon"),
        (["info"], "INPUT"),
        (["profile", "cine.seq.nrrd", "--line", "0,0 1,1", "--output", "o.csv"], "--line"),
        (["profile", "cine.seq.nrrd", "--line", "0,0,nan 1,1,1", "--output", "o.csv"], "--line"),
        (["profile", "cine.seq.nrrd", "--line", "0,0,0 1,1,1", "--output", "o.txt"], ".csv or .png"),
        (["profile", "cine.seq.nrrd", "--line", "0,0,0 1,1,1", "--output", "no/o.csv"], "does not exist"),
        (["profile", "scan.npz", "--line", "0,0,0 1,1,1", "--output", "o.csv"], "not an image series"),
        (["evaluate", "cine.seq.nrrd", "none.nrrd"], "does not exist"),
        (["evaluate", "cine.seq.nrrd", "cine.seq.nrrd", "--roi", "1,2,3"], "--roi"),
        (["simulate", "liver", "--trajectory", "radial", "--output", "o.h5"], "neither a phantom"),
        (["simulate", "heart", "--trajectory", "zigzag", "--output", "o.h5"], "zigzag"),
        (["simulate", "heart", "--trajectory", "radial", "--output", "no/o.h5"], "does not exist"),
        (
            ["simulate", "heart", "--trajectory", "radial", "--output", "o.nii.gz"],
            "holds one image series, not k-space",
        ),
        (["simulate", "heart", "--trajectory", "radial", "--coils", "-1", "--output", "o.h5"], "coils"),
        (["simulate", "cine.seq.nrrd", "--trajectory", "radial", "--output", "cine.seq.nrrd"], "also an input"),
        (["recon", "--job", "none"], "none"),
        (["recon", "--job", "none", "--method", "cg-sense"], "leave out"),
    ],
)
def test_other_commands_refuse_as_clearly(
    call: Any,
    tmp_path: Path,
    series_file: Path,
    kspace_file: Path,
    unchanged: Any,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unchanged()
    outcome = call(*words)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1, outcome.err
    assert message in outcome.err
    assert unchanged()
