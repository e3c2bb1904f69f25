"""Results: from the files of a finished job to nodes in one folder of the scene, and back to the list of them."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.profiles.uncertainty import UNCERTAINTY
from DynamicMRIReconSlicer import hierarchy, history, provenance, sequences, texts
from DynamicMRIReconSlicer.jobFolder import Request
from DynamicMRIReconSlicer.translation import tr as _


@dataclass(frozen=True)
class Result:
    """A reconstruction in the scene.

    Attributes
    ----------
    sequence, browser, proxy
        The frames, what plays them, and the volume that shows the current one.
    parts
        Sequences of the parts of the result (``low-rank``, ``sparse``) by name, played by the same browser.
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
    parts: dict[str, Any] = field(default_factory=dict)


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
    summary = _("{method}, {frames} frames, {duration}, {finished}").format(
        method=request.method,
        frames=series.frames,
        duration=texts.duration(seconds),
        finished=time.strftime("%H:%M:%S"),
    )
    if request.simulate is not None:
        summary += f", {texts.SIMULATED}"
    run = uuid.uuid4().hex
    # The result's own copy names no folders, which may name people; the text node has all.
    carried = series.metadata.get("provenance") or record
    attributes = provenance.attributes(request, carried, run, summary)
    attributes[provenance.HISTORY] = json.dumps(history.entry(request, carried, event, warnings))
    nodes = sequences.fromSeries(series, request.name, attributes)
    text = provenance.textNode(record, nodes.sequence.GetName(), request)
    parts = {name: _loadPart(Path(path), name, nodes, attributes) for name, path in (event.get("parts") or {}).items()}
    proxies = [part.proxy for part in parts.values()]
    hierarchy.put(hierarchy.folder(nodes.sequence.GetName()), nodes.proxy, *proxies, text)
    for one in (nodes, *parts.values()):
        one.sequence.SetNodeReferenceID(provenance.PROVENANCE, text.GetID())
        for node in request.nodes:
            one.sequence.AddNodeReferenceID(provenance.INPUT, node.GetID())
        if request.referenceNode is not None:
            one.sequence.SetNodeReferenceID(provenance.REFERENCE, request.referenceNode.GetID())
    for node in request.nodes:
        if node.IsA("vtkMRMLSequenceNode"):
            # What was made of it stands still where it stands still.
            sequences.playAlso(nodes.browser, node)
    if UNCERTAINTY in parts:
        nodes.sequence.SetNodeReferenceID(provenance.UNCERTAINTY, parts[UNCERTAINTY].sequence.GetID())
    sequencesOfParts = {name: part.sequence for name, part in parts.items()}
    return Result(nodes.sequence, nodes.browser, nodes.proxy, text, tuple(warnings), sequencesOfParts)


def _loadPart(
    path: Path, name: str, whole: sequences.SequenceNodes, attributes: dict[str, str]
) -> sequences.SequenceNodes:
    """A part of a result as a further sequence, played in step with the whole."""
    from DynamicMRIReconLib import io

    summary = _("part of {sequence}, {summary}").format(
        sequence=whole.sequence.GetName(), summary=attributes[provenance.SUMMARY]
    )
    own = {**attributes, provenance.PART: name, provenance.SUMMARY: summary}
    return sequences.fromSeries(io.read(path), f"{whole.sequence.GetName()} {name}", own, whole.browser)


def inScene() -> list[Any]:
    """The sequences of the scene that this module made, oldest first."""
    found = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    return [node for node in found if node.GetAttribute(provenance.RUN)]
