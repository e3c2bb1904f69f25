"""Stacks in the scene: three orthogonal ones of blobs with a marker, one of them moved by a known motion."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import slicer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "methods"))
import stack_cases

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import files

NAMES = ("Axial", "Coronal", "Sagittal")
#: of the patient before the second stack was acquired
MOTION = stack_cases.rigid((4, -3, 5), (3, -2, 4))


def images(moved: bool = True) -> list[ImageSeries]:
    """Axial, coronal, sagittal."""
    return stack_cases.stacks(motions={1: MOTION} if moved else None)


def add(series: ImageSeries, name: str, class_name: str = "vtkMRMLScalarVolumeNode") -> Any:
    """A volume node as after loading a file."""
    node = slicer.util.addVolumeFromArray(
        series.array[0].copy(), ijkToRAS=series.affine, name=name, nodeClassName=class_name
    )
    node.CreateDefaultDisplayNodes()
    return node


def add_all(moved: bool = True) -> list[Any]:
    """The three of them."""
    return [add(series, name) for series, name in zip(images(moved), NAMES, strict=True)]


def finished(nodes: list[Any], method: str, volume: ImageSeries, *, fixed: int = 1) -> Any:
    """The sequence of a run of ``method`` on ``nodes`` whose result is ``volume``, without the run."""
    from DynamicMRIReconSlicer import stackNodes
    from DynamicMRIReconSlicer.jobFolder import Request
    from DynamicMRIReconSlicer.results import loadResult

    parameters = {"registration": "none", "fixed_stack": fixed}
    source = stackNodes.read(nodes)
    request = Request(source=source, method=method, parameters=parameters, name=f"Axial {method}")
    record = {"method": method, "parameters": parameters}
    with tempfile.TemporaryDirectory() as folder:
        io.write(Path(folder) / files.RESULT, volume.with_metadata(provenance=record))
        files.write_json(Path(folder) / files.PROVENANCE, record)
        return loadResult(request, Path(folder), {"event": "done", "elapsed_s": 2.0}, []).sequence


def degrees_and_mm(left: np.ndarray) -> tuple[float, float]:
    """What is left of a motion: its angle, and how far it moves a point 40 mm off the middle at most."""
    turn = np.degrees(np.arccos(np.clip((np.trace(left[:3, :3]) - 1) / 2, -1, 1)))
    return float(turn), float(np.abs(left[:3, 3]).max())
