"""Results: from the files of a finished job to nodes in one folder of the scene, and back to the list of them."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconLib.jobs import files
from DynamicMRIReconSlicer import hierarchy, provenance, sequences, texts
from DynamicMRIReconSlicer.jobFolder import Request


@dataclass(frozen=True)
class Result:
    """A reconstruction in the scene.

    Attributes
    ----------
    sequence, browser, proxy
        The frames, what plays them, and the volume that shows the current one.
    provenanceNode
        Text node with the record of how it was made.
    warnings
        What the user should know about it.
    """

    sequence: Any
    browser: Any
    proxy: Any
    provenanceNode: Any
    warnings: tuple[str, ...] = ()


def loadResult(request: Request, folder: Path, event: dict[str, Any], warnings: list[str]) -> Result:
    """Put the job's result into the scene.

    Raises
    ------
    ReconError, OSError
        The result file cannot be read.
    """
    from DynamicMRIReconLib import io

    series = io.read(folder / files.RESULT)
    record = provenance.read(folder)
    seconds = float(event.get("elapsed_s") or 0.0)
    summary = f"{request.method}, {series.frames} frames, {texts.duration(seconds)}, {time.strftime('%H:%M:%S')}"
    if request.simulate is not None:
        summary += f", {texts.SIMULATED}"
    run = uuid.uuid4().hex
    nodes = sequences.fromSeries(series, request.name, provenance.attributes(request, record, run, summary))
    text = provenance.textNode(record, nodes.sequence.GetName())
    hierarchy.put(hierarchy.folder(nodes.sequence.GetName()), nodes.proxy, text)
    nodes.sequence.SetNodeReferenceID(provenance.PROVENANCE, text.GetID())
    return Result(nodes.sequence, nodes.browser, nodes.proxy, text, tuple(warnings))


def inScene() -> list[Any]:
    """The sequences of the scene that this module made, oldest first."""
    found = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    return [node for node in found if node.GetAttribute(provenance.RUN)]


def describe(sequence: Any) -> str:
    """One line for a list of results."""
    return f"{sequence.GetName()} ({sequence.GetAttribute(provenance.SUMMARY) or 'no details'})"
