"""The folder that a reconstruction runs in: made for it, filled with what the worker needs, gone afterwards."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconSlicer.stackNodes import Stacks
from DynamicMRIReconSlicer.translation import tr as _

PREFIX = "DynamicMRIRecon-"
INPUT = "input.npz"
REFERENCE = "reference.npz"


@dataclass(frozen=True)
class Scheduler:
    """A Dask scheduler, and a folder that its workers see under the same path as this computer."""

    address: str
    folder: Path


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes
    ----------
    source
        A file or folder, an image series that is already in memory, or several stacks (``stackNodes.Stacks``).
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
    load
        Called with this, the job folder, the last event and the warnings to make of a finished job what ``onFinished``
        gets; None: a result in the scene.
    runOn
        The Dask scheduler that shall run it; None: this computer.
    reference, referenceNode
        A file, or images in memory, to compare the result with; the node that these come from.
    cardiac
        Where the heart is in the reference, as the job file says it: ``auto``, ``published``, ``x0,y0,x1,y1``.
    """

    source: Path | ImageSeries | Stacks
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
    cardiac: str | None = None
    runOn: Scheduler | None = None
    load: Callable[[Request, Path, dict[str, Any], list[str]], Any] | None = None

    @property
    def nodes(self) -> list[Any]:
        """The nodes of the scene that the input comes from; of stacks all, in their order."""
        if isinstance(self.source, Stacks):
            return list(self.source.nodes)
        return [] if self.node is None else [self.node]


class JobFolder:
    """A temporary folder with a job in it; also removed when the program ends without ``remove``.

    It is made in ``parent``, by default where temporary files belong on this computer.

    Raises
    ------
    InputError
        It cannot be made there.
    """

    def __init__(self, parent: Path | None = None) -> None:
        try:
            # the process number tells whether its Slicer is still there (unfinishedRuns)
            prefix = f"{PREFIX}{os.getpid()}-"
            self._holder = tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True)
        except OSError as error:
            raise InputError(
                _("The folder {folder} cannot be used ({reason}): choose one that exists and may be written.").format(
                    folder=parent or tempfile.gettempdir(), reason=error.strerror or error
                )
            ) from error
        self.path = Path(self._holder.name)

    def fill(self, request: Request) -> None:
        """Write the job file, and the input when it is in memory.

        Raises
        ------
        OSError
            The disk is full or may not be written.
        """
        inputs, masks = self._inputs(request.source)
        job = {
            "version": 1,
            "method": request.method,
            "preset": request.preset,
            "parameters": request.parameters,
            "inputs": [{"path": str(path.absolute())} for path in inputs],
            "masks": [{"path": str(path.absolute())} for path in masks],
            "read": request.read,
            "simulate": request.simulate,
            "frames": request.frames,
            "reference": self._reference(request.reference),
            "cardiac": request.cardiac,
            "data_consistency": True,
            "device": request.device,
            "seed": request.seed,
        }
        files.write_json(self.path / files.JOB, job)

    def _inputs(self, source: Path | ImageSeries | Stacks) -> tuple[list[Path], list[Path]]:
        """The files of the input and of the masks, written where they are in memory."""
        if isinstance(source, ImageSeries):
            exportSeries(source, self.path / INPUT)
            return [self.path / INPUT], []
        if not isinstance(source, Stacks):
            return [Path(source)], []
        inputs = [self.path / f"stack-{number}.npz" for number in range(1, len(source.images) + 1)]
        for path, image in zip(inputs, source.images, strict=True):
            exportSeries(image, path)
        if not any(mask is not None for mask in source.masks):
            return inputs, []
        masks = [self.path / f"mask-{number}.npz" for number in range(1, len(inputs) + 1)]
        for path, image, mask in zip(masks, source.images, source.masks, strict=True):
            everything = ImageSeries(np.ones(image.array.shape, np.float32), image.affine, image.times_s)
            exportSeries(everything if mask is None else mask, path)
        return inputs, masks

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
