"""What a run says about itself: no patient, no secret, with ``--private`` no name of a file; and to nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.privacy import private_name, redacted, redactor_of
from DynamicMRIReconLib.jobs.worker import run_job

ROOT = Path(__file__).resolve().parents[3]
PATIENT, SECRET = "ROETTGENSEN", "hunter2-token"

#: every Python process that finds it may make no connection and open no port
_NO_NETWORK = """
import socket, sys
def _refuse(event, arguments):
    if event not in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"):
        return
    # between processes of one computer, without an address
    if getattr(arguments[0], "family", None) != socket.AF_UNIX:
        raise PermissionError("network: " + event)
sys.addaudithook(_refuse)
"""


@pytest.fixture
def dicom_folder(tmp_path: Path) -> Path:
    """A cine of somebody with a name, in a folder with that name."""
    folder = tmp_path / f"{PATIENT}^ANNA"
    folder.mkdir()
    for source in sorted((ROOT / "Resources" / "SampleData" / "cine_sax").glob("*.dcm"))[:3]:
        dataset = pydicom.dcmread(source)
        dataset.PatientName, dataset.PatientID = f"{PATIENT}^ANNA", f"{PATIENT}-77"
        dataset.ReferringPhysicianName = dataset.InstitutionName = f"Dr. {PATIENT}"
        dataset.save_as(folder / f"{PATIENT}-{source.name}")
    return folder


def said(folder: Path) -> str:
    """All that a run wrote into its folder, but the request itself; names and contents."""
    paths = [path for path in sorted(folder.iterdir()) if path.name != files.JOB]
    return "\n".join(path.name + path.read_bytes().decode("latin-1") for path in paths)


def job_on(source: Path, **entries: object) -> Job:
    simulate = {"trajectory": "cartesian", "matrix": 32, "coils": 2}
    return Job(method="gridding", inputs=[source], simulate=simulate, device="cpu", **entries)


def test_no_patient_and_no_secret_in_what_a_run_writes(
    dicom_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACS_PASSWORD", SECRET)
    renamed = dicom_folder.rename(tmp_path / "scan-12")
    for index, path in enumerate(sorted(renamed.iterdir())):
        path.rename(renamed / f"{index}.dcm")
    folder, output = tmp_path / "job", tmp_path / "out.dcm"
    job_on(renamed, output=output).save(folder)
    assert run_job(folder) == 0, said(folder)
    for text in (said(folder), output.read_bytes().decode("latin-1")):
        assert PATIENT not in text
        assert SECRET not in text


def test_private_hides_the_names_of_files_and_folders(dicom_folder: Path, tmp_path: Path) -> None:
    folder, output = tmp_path / "job", tmp_path / f"{PATIENT}.seq.nrrd"
    job_on(dicom_folder, output=output, private=True).save(folder)
    told: list[dict[str, object]] = []
    assert run_job(folder, listener=told.append) == 0, said(folder)
    assert PATIENT not in said(folder)
    assert PATIENT not in output.read_bytes().decode("latin-1")
    record = json.loads((folder / files.PROVENANCE).read_text(encoding="utf-8"))
    assert record["inputs"][0]["path"] == private_name(dicom_folder.name)
    assert record["output"]["path"] == private_name(output.name)
    assert "--private" in record["command"]
    assert told[-1]["output"] == str(output), "who started it is told the truth"
    assert run_job(folder) == 0, "the output is known as its own under the hidden name too"


def test_private_hides_names_in_tracebacks_and_refusals(tmp_path: Path) -> None:
    broken = tmp_path / f"{PATIENT}.npz"
    broken.write_bytes(b"PK\x03\x04 nothing")
    folder = tmp_path / "job"
    Job(method="gridding", inputs=[broken], private=True).save(folder)
    assert run_job(folder) == 2
    assert "file-" in said(folder)
    assert PATIENT not in said(folder)


def test_without_private_names_of_files_help_to_find_them(tmp_path: Path) -> None:
    array = np.ones((3, 1, 48, 48), np.float32)
    source = io.write(tmp_path / "visit-3.npz", ImageSeries(array, np.eye(4), np.arange(3.0)))
    job_on(source).save(tmp_path / "job")
    assert run_job(tmp_path / "job") == 0
    assert "visit-3.npz" in said(tmp_path / "job")


def test_a_pseudonym_is_always_the_same_and_keeps_only_a_known_suffix() -> None:
    assert private_name("a.seq.nrrd") == private_name("a.seq.nrrd")
    assert private_name("a.seq.nrrd").endswith(".seq.nrrd")
    assert private_name("Anna.Roe") == f"file-{private_name('Anna.Roe')[5:17]}"
    assert private_name("a.h5") != private_name("b.h5")


def test_only_whole_names_are_replaced() -> None:
    job = Job(method="tv", inputs=["/data/anna/scan.h5"], output="/data/anna/image.nii.gz", private=True)
    redact = redactor_of(job)
    hidden = private_name("scan.h5")
    assert redact("cannot read '/data/anna/scan.h5': scan.h5 is cut") == f"cannot read '{hidden}': {hidden} is cut"
    assert redact("scanner, imagery") == "scanner, imagery"
    assert "anna" not in redact("/data/anna/other.hdr")
    assert redacted({"a": ("x scan.h5", 3)}, redact) == {"a": (f"x {hidden}", 3)}
    assert redactor_of(Job(method="tv", inputs=["/data/anna/scan.h5"]))("scan.h5") == "scan.h5"


def test_recon_opens_no_connection_and_no_port(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_NO_NETWORK, encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}

    def python(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)

    refused = python("-c", "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert "network: socket." in refused.stderr, "the guard works"
    array = np.ones((3, 1, 48, 48), np.float32)
    io.write(tmp_path / "cine.npz", ImageSeries(array, np.eye(4), np.arange(3.0)))
    words = ["-m", "DynamicMRIReconLib", "recon", "cine.npz", "--simulate", "trajectory=cartesian,coils=2"]
    done = python(*words, "--method", "gridding", "--output", "out.npz")
    assert (done.returncode, done.stderr) == (0, "")
