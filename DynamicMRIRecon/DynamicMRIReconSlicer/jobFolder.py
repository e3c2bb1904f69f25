"""The folder that a reconstruction runs in: made for it, filled with what the worker needs, gone afterwards."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import files

PREFIX = "DynamicMRIRecon-"
INPUT = "input.npz"
REFERENCE = "reference.npz"


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes
    ----------
    source
        A file or folder, or an image series that is already in memory.
    method, preset, parameters
        Registry key, preset name, and the values put over the preset.
    read
        Options of the reader: ``axes``, ``frames_from``, ``times_from``...
    simulate
        Teaching mode: parameters of the acquisition that is simulated from the series; else None.
    frames
        First frame and the one behind the last; None: all.
    device, seed
        ``auto``, ``cpu``, ``cuda``...; the one seed of all random numbers.
    name
        What results are called.
    node
        The node of the scene that the input comes from, or None.
    reference, referenceNode
        A file, or images in memory, to compare the result with; the node that these come from.
    """

    source: Path | ImageSeries
    method: str
    preset: str = "standard"
    parameters: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    simulate: dict[str, Any] | None = None
    frames: tuple[int, int] | None = None
    device: str = "auto"
    seed: int = 0
    name: str = "Reconstruction"
    node: Any = None
    reference: Path | ImageSeries | None = None
    referenceNode: Any = None


class JobFolder:
    """A temporary folder with a job in it; also removed when the program ends without ``remove``."""

    def __init__(self) -> None:
        self._holder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        self.path = Path(self._holder.name)

    def fill(self, request: Request) -> None:
        """Write the job file, and the input when it is in memory.

        Raises
        ------
        OSError
            The disk is full or may not be written.
        """
        source = request.source
        if isinstance(source, ImageSeries):
            exportSeries(source, self.path / INPUT)
            source = self.path / INPUT
        job = {
            "version": 1,
            "method": request.method,
            "preset": request.preset,
            "parameters": request.parameters,
            "inputs": [{"path": str(Path(source).absolute())}],
            "read": request.read,
            "simulate": request.simulate,
            "frames": request.frames,
            "reference": self._reference(request.reference),
            "data_consistency": True,
            "device": request.device,
            "seed": request.seed,
        }
        files.write_json(self.path / files.JOB, job)

    def _reference(self, reference: Path | ImageSeries | None) -> dict[str, str] | None:
        if isinstance(reference, ImageSeries):
            exportSeries(reference, self.path / REFERENCE)
            reference = self.path / REFERENCE
        return None if reference is None else {"path": str(Path(reference).absolute())}

    def remove(self) -> None:
        """Delete the folder and everything in it."""
        self._holder.cleanup()


def exportSeries(series: ImageSeries, path: Path) -> None:
    """Write a series as the library's plain ``.npz``, by numpy alone: the packages for other files may not be there.

    Interpolated frames stay marked, and the notes on the series go along.
    """
    with path.open("wb") as file:
        np.savez(
            file,
            array=series.array,
            affine=series.affine,
            times_s=series.times_s,
            synthetic=series.synthetic,
            metadata=json.dumps(series.metadata),
        )
