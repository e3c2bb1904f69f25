"""A method whose every step is known, and a series to run it on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context, Estimate, Method, Parameters, parameter

KEY = "stepwise"
FAILURES: dict[str, Exception] = {
    "input": InputError("The frames are too few: give more."),
    "memory": MemoryError(),
    "allocator": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    "gpu": RuntimeError("CUDA error: device-side assert triggered"),
    "disk": OSError(28, "No space left on device"),
    "bug": KeyError("wanted"),
}


class Stepwise(Method):
    """Waits, step by step, then returns its input plus noise from the seed."""

    key = KEY
    title = "Stepwise"
    description = "Test method."
    citation = "none"
    input_kind = "series"

    class Parameters(Parameters):
        """How many steps, how long each, and what goes wrong after the first."""

        steps: int = parameter(3, "Steps.", ge=1)
        step_s: float = parameter(0.0, "Seconds a step.", ge=0.0, unit="s")
        failure: Literal["", "input", "memory", "allocator", "gpu", "disk", "bug"] = parameter("", "What goes wrong.")
        memory_bytes: float = parameter(1.0, "Claimed need.", ge=0.0)

    def estimate(self, data: Any, parameters: Any, device: str) -> Estimate:
        return Estimate(parameters.memory_bytes, parameters.steps * parameters.step_s)

    def run(self, data: ImageSeries, parameters: Any, context: Context) -> ImageSeries:
        import torch

        for i in range(parameters.steps):
            context.step(i / parameters.steps, f"step {i}")
            context.preview(data.array + i)
            if parameters.failure:
                raise FAILURES[parameters.failure]
            time.sleep(parameters.step_s)
        context.warn("Only a test.")
        noise = torch.randn(data.array.shape).numpy()
        return ImageSeries(data.array + noise, data.affine, data.times_s)


@pytest.fixture
def stepwise() -> Iterator[str]:
    """The method's key, registered for the length of a test."""
    registry.all_methods()
    registry.register(Stepwise)
    yield KEY
    registry._registered.pop(KEY)


@pytest.fixture
def series_file(tmp_path: Path) -> Path:
    """Four frames of a 12 x 9 image."""
    array = np.random.default_rng(0).random((4, 1, 9, 12), np.float32)
    return io.write(tmp_path / "cine.seq.nrrd", ImageSeries(array, np.diag([2.0, 2.0, 8.0, 1.0]), [0.0, 0.1, 0.2, 0.3]))


@pytest.fixture
def job_folder(tmp_path: Path, series_file: Path, stepwise: str) -> Path:
    """A saved job that runs the stepwise method on the series."""
    folder = tmp_path / "job"
    Job(method=stepwise, inputs=[series_file], device="cpu", seed=3).save(folder)
    return folder
