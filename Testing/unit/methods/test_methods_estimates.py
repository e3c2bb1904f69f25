"""What every method says it needs: there is such a figure for any size, it grows with the work, and it is true."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from kspace_cases import cartesian_case, radial_case
from stack_cases import stacks

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import worker_command, worker_environment
from DynamicMRIReconLib.jobs.stand_in import stand_in
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.common import speed
from DynamicMRIReconLib.spool import spooled_above

METHODS = sorted(registry.all_methods())
#: what a run may cost beside its estimate, and the other way round
WITHIN = 1.5
#: done block by block: long data and results lie in files
IN_BLOCKS = ("gridding", "miccan", "ifnet", "speech", "cnn3d", "cardiac-vsr")


@pytest.fixture(autouse=True)
def same_speed(monkeypatch):
    """The reference computer: what is compared must not hang on a clock."""
    monkeypatch.setattr(speed, "transform_speed", lambda: 1.0)
    monkeypatch.setattr(speed, "network_speed", lambda: 1.0)


def sized(kind: str, frames: int = 10, side: int = 64, coils: int = 4, slices: int = 1):
    """Data of a kind that take no memory: cartesian, radial, series or stacks."""
    axes = {"series": {"frames": frames, "z": slices, "y": side, "x": side}}
    axes["cartesian"] = {"frames": frames, "coils": coils, "z": slices, "ky": side, "kx": side}
    axes["radial"] = {"frames": frames, "coils": coils, "shots": 13, "readout": 2 * side}
    common = {"affine": np.diag([2.0, 2.0, 6.0, 1.0]), "frames": frames, "matrix": (slices, side, side)}
    if kind == "stacks":
        one = {**common, "frames": 1, "matrix": (side, side, side)}
        one["axes"] = [{"name": name, "size": size} for name, size in zip("fzyx", (1, *one["matrix"]), strict=True)]
        return stand_in({"kind": "stacks", "stacks": [one, one]})
    listed = [{"name": name, "size": size} for name, size in axes[kind].items()]
    return stand_in({**common, "kind": "series" if kind == "series" else "kspace", "axes": listed})


def kind_of(method) -> str:
    """The first kind of data that the method takes."""
    for kind in ("radial", "cartesian", "series", "stacks"):
        if method.why_not(sized(kind)) is None:
            return kind
    raise AssertionError(f"No data here fit {method.key}: add some that do.")


def estimate(key: str, preset: str = "standard", values=None, device: str = "cpu", **sizes):
    method = registry.get(key)
    return method.estimate(sized(kind_of(method), **sizes), method.parameters(preset, **(values or {})), device)


@pytest.mark.parametrize("machine", [0.2, 1.0, 5.0])
def test_what_a_run_costs_on_the_processor_it_costs_beside_a_cuda_device_too(machine, monkeypatch):
    monkeypatch.setattr(speed, "transform_speed", lambda: machine)
    small = {"frames": 4, "side": 4, "coils": 1}  # nothing but the start of the program
    on_processor, on_device = (estimate("gridding", device=device, **small).seconds for device in ("cpu", "cuda"))
    assert on_processor * 0.99 < on_device < on_processor


@pytest.mark.parametrize("key", METHODS)
def test_every_size_has_an_estimate(key):
    for preset in registry.get(key).presets:
        for sizes in ({"frames": 4, "side": 4, "coils": 1}, {}, {"frames": 20_000, "side": 1024, "coils": 64}):
            found = estimate(key, preset, **sizes)
            assert math.isfinite(found.memory_bytes), (preset, sizes)
            assert math.isfinite(found.seconds)
            assert found.memory_bytes > 100 * 2**20
            assert found.seconds > 0


@pytest.mark.parametrize("key", METHODS)
def test_estimates_grow_with_the_data(key):
    small = estimate(key)
    wide = estimate(key, side=256)
    assert wide.memory_bytes > small.memory_bytes
    assert wide.seconds > small.seconds
    if registry.get(key).input_kind != "stacks":
        long, longer = estimate(key, frames=2_000), estimate(key, frames=20_000)
        if key not in IN_BLOCKS:
            assert longer.memory_bytes > long.memory_bytes > small.memory_bytes
        assert longer.seconds > 5 * long.seconds > 0
    if registry.get(key).input_kind == "kspace":
        many = estimate(key, coils=32)
        assert many.memory_bytes > small.memory_bytes
        assert many.seconds > small.seconds


@pytest.mark.parametrize("key", IN_BLOCKS)
def test_the_memory_of_long_series_does_not_grow(key):
    long, longer = (estimate(key, frames=frames, side=84).memory_bytes for frames in (20_000, 40_000))
    assert longer == pytest.approx(long)
    assert longer < 2 * 2**30
    with spooled_above(math.inf):
        assert estimate(key, frames=40_000, side=84).memory_bytes > 2 * longer


@pytest.mark.parametrize("key", METHODS)
def test_more_iterations_take_longer(key):
    fields = registry.get(key).Parameters.model_fields
    names = [name for name in ("iterations", "epochs", "coil_iterations") if name in fields]
    values = {"representation": "hash-grid"} if key == "st-inr" and "epochs" in names else {}
    for name in names:
        of_this = values if name == "epochs" else {}
        few, some, many = (estimate(key, values={**of_this, name: count}).seconds for count in (10, 20, 40))
        assert many - some == pytest.approx(2 * (some - few)), name
        assert some > few
    if not names:
        assert estimate(key, frames=20).seconds > 0


@pytest.mark.parametrize("key", METHODS)
def test_a_slower_core_takes_longer(key, monkeypatch):
    usual = estimate(key, frames=50)
    monkeypatch.setattr(speed, "transform_speed", lambda: 0.5)
    monkeypatch.setattr(speed, "network_speed", lambda: 0.5)
    assert estimate(key, frames=50).seconds == pytest.approx(2 * usual.seconds)


def test_the_speed_of_a_core_is_measured_once_and_bounded(monkeypatch):
    monkeypatch.undo()
    for measured in (speed.transform_speed, speed.network_speed):
        assert speed.SLOWEST <= measured() <= speed.FASTEST
        assert measured() is measured()


@pytest.mark.slow
@pytest.mark.parametrize("key", METHODS)
def test_the_memory_of_a_run_is_near_its_estimate(key, tmp_path: Path):
    method = registry.get(key)
    kind = kind_of(method)
    if kind == "series":
        data = [ImageSeries(np.random.default_rng(0).random((8, 1, 32, 32), np.float32), np.eye(4), np.arange(8.0))]
    elif kind == "stacks":
        data = stacks()
    else:
        data = [(radial_case if kind == "radial" else cartesian_case)(frames=6)[0]]
    paths = [io.write(tmp_path / f"{number}.npz", one) for number, one in enumerate(data)]
    folder = tmp_path / "job"
    Job.of(method=key, preset="fast", inputs=paths, device="cpu").save(folder)
    environment = {**worker_environment(dict(os.environ)), "OMP_NUM_THREADS": "1"}
    subprocess.run(worker_command(folder), env=environment, check=True, capture_output=True)
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    ratio = record["cost"]["estimated_memory_bytes"] / record["peak_memory"]["main_bytes"]
    assert 1 / WITHIN < ratio < WITHIN
