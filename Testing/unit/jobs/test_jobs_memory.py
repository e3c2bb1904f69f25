"""Runs that do not fit are refused before they start, and told what would fit; limits of all kinds are heard."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.jobs import memory_limits
from DynamicMRIReconLib.jobs.events import read_events
from DynamicMRIReconLib.jobs.memory import shortage
from DynamicMRIReconLib.jobs.worker import run_job
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Estimate

GIB = 2**30


def limit(monkeypatch: pytest.MonkeyPatch, total: float, free: float | None = None, **devices: tuple[float, float]):
    """A computer with so many GiB, and GPUs with (free, total)."""

    def of(device: str, number: int) -> int:
        pair = devices.get(device.replace(":", ""), (total if free is None else free, total))
        return int(pair[number] * GIB)

    monkeypatch.setattr(memory_limits, "free_bytes", lambda device="cpu": of(device, 0))
    monkeypatch.setattr(memory_limits, "total_bytes", lambda device="cpu": of(device, 1))


class Sized:
    """A stand-in for a method with a known need, in GiB: for each preset, frame and frame at once."""

    title = "Sized"
    presets = {"fast": {}, "standard": {}, "faithful": {}}

    def __init__(self, need, fields=("frames_at_once",)) -> None:
        self._need = need
        self.Parameters = type("P", (), {"model_fields": dict.fromkeys(fields)})

    def why_not(self, data):
        return None

    def parameters(self, preset, **values):
        return {"preset": preset, **values}

    def estimate(self, data, parameters, device):
        frames = 0 if isinstance(data, list) else data.frames
        return Estimate(GIB * self._need(device=device, frames=frames, **parameters), 1.0)


def series(frames: int = 40) -> ImageSeries:
    return ImageSeries(np.zeros((frames, 1, 2, 2), np.float32), np.eye(4), np.arange(float(frames)))


def test_what_fits_is_not_spoken_of(monkeypatch):
    limit(monkeypatch, 8)
    assert shortage(Sized(lambda **_: 7.9), series(), "standard", {}, "cpu") is None


def test_the_nearest_preset_that_fits_is_named_with_its_need(monkeypatch):
    limit(monkeypatch, 8)
    need = {"faithful": 30, "standard": 9, "fast": 5}
    found = shortage(Sized(lambda preset, **_: need[preset]), series(), "faithful", {}, "cpu")
    assert found.hopeless
    assert "Sized needs about 30.0 GiB" in found.sentence
    assert "8.0 GiB in all" in found.sentence
    assert "What fits: the preset fast (about 5.0 GiB)." in found.sentence


def test_presets_are_tried_with_what_the_user_set(monkeypatch):
    limit(monkeypatch, 8)
    method = Sized(lambda preset, width=1, **_: width * (5 if preset == "fast" else 9), ("width", "length"))
    assert "the preset fast" in shortage(method, series(), "standard", {}, "cpu").sentence
    found = shortage(method, series(), "standard", {"width": 2}, "cpu")
    assert "preset fast" not in found.sentence


def test_then_fewer_frames_at_once_then_the_cpu_then_fewer_frames(monkeypatch):
    limit(monkeypatch, 8.01, cuda=(3.9, 4))
    blocks = Sized(lambda frames_at_once=0, **_: 1 + (frames_at_once or 40) / 10)
    assert "frames_at_once = 20 (about 3.0 GiB)" in shortage(blocks, series(), "standard", {}, "cuda").sentence
    large = Sized(lambda **_: 6)
    assert "the device cpu (about 6.0 GiB)" in shortage(large, series(), "standard", {}, "cuda").sentence
    long = Sized(lambda frames, **_: frames / 2)
    found = shortage(long, series(), "standard", {}, "cpu")
    assert "16 of the 40 frames (--frames 0:16) (about 8.0 GiB)" in found.sentence
    assert "--frames 5:21" in shortage(long, series(), "standard", {}, "cpu", first=5).sentence
    nothing = shortage(Sized(lambda **_: 50), series(), "standard", {}, "cpu")
    assert "No preset and no number of frames makes it fit" in nothing.sentence
    assert "No preset" in shortage(Sized(lambda **_: 50), [series(1)], "standard", {}, "cpu").sentence


def test_what_only_is_not_free_now_may_be_tried(monkeypatch):
    limit(monkeypatch, 32, 8)
    need = {"faithful": 30, "standard": 9, "fast": 5}
    found = shortage(Sized(lambda preset, **_: need[preset]), series(), "standard", {}, "cpu")
    assert not found.hopeless
    assert "only 8.0 GiB are free: it may fail. What fits: the preset fast" in found.sentence


def test_a_real_method_names_a_number_of_frames_that_fits(monkeypatch):
    frames, coils, side = 4000, 8, 192
    samples = np.broadcast_to(np.complex64(1), (frames, coils, 1, side, side))
    kspace = object.__new__(KSpace)
    values: dict[str, Any] = {
        "samples": samples,
        "mask": np.broadcast_to(True, (frames, 1, side, side)),
        "affine": np.eye(4),
        "times_s": np.arange(float(frames)),
        "image_shape": (1, side, side),
        "metadata": {},
    }
    for name in ("trajectory", "coil_maps", "density"):
        values[name] = None
    for name, value in values.items():
        object.__setattr__(kspace, name, value)
    limit(monkeypatch, 30)
    found = shortage(registry.get("grasp"), kspace, "standard", {}, "cpu")
    assert found.hopeless
    assert "--frames 0:" in found.sentence


@pytest.mark.parametrize(("check", "code"), [(True, 1), (False, 0)])
def test_a_job_that_cannot_fit_is_refused_before_it_starts(job_folder, monkeypatch, check, code):
    limit(monkeypatch, 4)
    path = job_folder / "job.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries |= {"parameters": {"memory_bytes": 5.0 * GIB}, "memory_check": check}
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert run_job(job_folder) == code
    events = read_events(job_folder / "events.jsonl")
    said = [event["message"] for event in events if event["event"] in ("warning", "error")]
    assert "Stepwise needs about 5.0 GiB of memory here, and there are 4.0 GiB in all." in said[0]
    assert (events[-1]["event"], events[-1].get("kind")) == (("error", "resource") if check else ("done", None))
    assert ("--no-memory-check" in said[0]) == check
    assert not any("step 0" in str(event.get("message")) for event in events) or not check
    if not check:
        record = json.loads((job_folder / "provenance.json").read_text(encoding="utf-8"))
        assert "--no-memory-check" in record["command"]
        assert record["cost"]["estimated_memory_bytes"] == 5 * GIB
        assert record["cost"]["wall_s"] >= 0


def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: str, numbers: dict[str, str]) -> None:
    """A tree of control groups, and this process in the groups of ``listing``."""
    for name, text in numbers.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    monkeypatch.setattr(memory_limits, "CGROUPS", tmp_path)
    read = Path.read_text

    def told(path: Path, *arguments: Any, **keywords: Any) -> str:
        return listing if str(path) == "/proc/self/cgroup" else read(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "read_text", told)


def test_the_limits_of_control_groups_count(tmp_path, monkeypatch):
    numbers = {
        "a/memory.max": "2000000",
        "a/memory.current": "1500000",
        "a/memory.stat": "anon 9\ninactive_file 500000\n",
        "a/b/memory.max": "max",
        "a/b/memory.current": "7",
    }
    groups(tmp_path, monkeypatch, "0::/a/b\n", numbers)
    assert memory_limits.total_bytes() == 2_000_000
    assert memory_limits._groups() == [(2_000_000, 1_000_000)]
    assert memory_limits.free_bytes() < memory_limits._physical_bytes()


def test_the_limits_of_control_groups_of_the_first_kind_count(tmp_path, monkeypatch):
    numbers = {
        "memory/x/memory.limit_in_bytes": "3000000",
        "memory/x/memory.usage_in_bytes": "1000",
        "memory/memory.limit_in_bytes": str(2**63 - 4096),
    }
    groups(tmp_path, monkeypatch, "5:cpu:/x\n4:memory:/x/missing\n", numbers)
    assert memory_limits.total_bytes() == 3_000_000


def test_without_limits_the_physical_memory_counts(tmp_path, monkeypatch):
    groups(tmp_path, monkeypatch, "0::/\n", {})
    monkeypatch.setattr(memory_limits, "_address_space_limit", lambda: None)
    assert memory_limits.total_bytes() == memory_limits._physical_bytes()
    assert 0 < memory_limits.free_bytes() <= memory_limits._physical_bytes()


def test_the_limit_of_the_address_space_counts(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**15, 10**15))
    assert 10**15 - 10**12 < memory_limits._address_space_limit() <= 10**15
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert memory_limits._address_space_limit() is None


def test_of_a_gpu_its_own_memory_counts(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3, 8) if device.index == 1 else (1, 2))
    assert (memory_limits.free_bytes("cuda:1"), memory_limits.total_bytes("cuda:1")) == (3, 8)
    assert memory_limits.total_bytes("cuda") == 2


def test_whoever_knows_better_says_so_in_recon_batch_and_job_files(tmp_path):
    from DynamicMRIReconLib.batch.manifest import read_manifest
    from DynamicMRIReconLib.batch.rows import checked_rows
    from DynamicMRIReconLib.cli import build_parser
    from DynamicMRIReconLib.cli_recon_job import job_of
    from DynamicMRIReconLib.jobs.fingerprint import fingerprint

    np.savez(tmp_path / "a.npz", array=np.zeros((2, 1, 4, 4), np.float32), affine=np.eye(4), times_s=[0.0, 1.0])
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "input,method,output,no_memory_check\na.npz,bicubic,x.npz,yes\na.npz,bicubic,y.npz,\n", encoding="utf-8"
    )

    def make(words):
        return job_of(build_parser().parse_args(["recon", *words]))

    rows, complaints = checked_rows(read_manifest(manifest), tmp_path, tmp_path / "place", make)
    assert complaints == []
    assert [row.job.memory_check for row in rows] == [False, True]
    rows, _ = checked_rows(read_manifest(manifest), tmp_path, tmp_path / "place", make, options=("--no-memory-check",))
    assert [row.job.memory_check for row in rows] == [False, False]
    # it decides nothing about the result
    prints = {fingerprint(row.job.model_copy(update={"memory_check": check}), registry.get("bicubic").parameters())
              for row in rows for check in (True, False)}  # fmt: skip
    assert len(prints) == 1
