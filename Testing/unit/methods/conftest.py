"""What tests of several methods begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the files of models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def heart() -> tuple[KSpace, ImageSeries]:
    """Small k-space of a beating heart, and its truth."""
    values = {"matrix": 40, "frames": 8, "coils": 3, "shots": 5, "include_coil_maps": True}
    return simulate(phantoms.get("heart"), SimulationParameters(**values))
