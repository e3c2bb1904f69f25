"""Where a result comes from, kept with it: a text node, and attributes of the sequence that its files carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconSlicer.translation import tr as _

PREFIX = "DynamicMRIRecon."
METHOD = PREFIX + "Method"
PARAMETERS = PREFIX + "Parameters"
RUN = PREFIX + "Run"
SUMMARY = PREFIX + "Summary"
PROVENANCE = PREFIX + "Provenance"
SIMULATED = PREFIX + "Simulated"
PART = PREFIX + "Part"
HISTORY = PREFIX + "History"
#: of the text node with the record: the request, with the input's path
REQUEST = PREFIX + "Request"
METRICS = ("psnr_db", "ssim", "nrmse")
CARDIAC_METRICS = ("cardiac_psnr_db", "cardiac_ssim")
REQUESTED = ("method", "preset", "parameters", "read", "simulate", "frames", "device", "seed", "name")
#: role of the reference to the sequence with the standard deviation of each voxel, where the method gives one
UNCERTAINTY = PREFIX + "Uncertainty"
#: role of the sequence's reference to the node that it was made from
INPUT = PREFIX + "Input"
#: and to the one that it was compared with
REFERENCE = PREFIX + "Reference"


def read(jobFolder: Path) -> dict[str, Any]:
    """The worker's provenance record; empty when it wrote none."""
    try:
        record: dict[str, Any] = json.loads((jobFolder / files.PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def attributes(request: Any, record: dict[str, Any], run: str, summary: str) -> dict[str, str]:
    """Attributes of the sequence node; ``record`` is the one without folders, since files carry them."""
    entries = {
        METHOD: request.method,
        PARAMETERS: json.dumps({"preset": request.preset, **request.parameters}),
        RUN: run,
        SUMMARY: summary,
        PROVENANCE: json.dumps(record),
    }
    if request.simulate is not None:
        entries[SIMULATED] = json.dumps(request.simulate)
    return entries


def textNode(record: dict[str, Any], name: str, request: Any) -> Any:
    """The record as a text node that a user can open; it also keeps the request, to repeat it."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", f"{name} provenance")
    node.SetText(json.dumps(record, indent=2, ensure_ascii=False))
    path = request.source if isinstance(request.source, (str, Path)) else None
    asked = {name: getattr(request, name) for name in REQUESTED}
    if isinstance(request.reference, (str, Path)):
        asked["reference"] = str(request.reference)
    if request.cardiac is not None:
        asked["cardiac"] = request.cardiac
    node.SetAttribute(REQUEST, json.dumps({"path": None if path is None else str(path), **asked}))
    return node


def request(sequence: Any) -> dict[str, Any]:
    """What was asked for when ``sequence`` was made: ``path`` of the input or None, and the ``REQUESTED``.

    Raises
    ------
    InputError
        The sequence does not say: it is none of this module's, or its text node was deleted.
    """
    node = sequence.GetNodeReference(PROVENANCE) if sequence is not None else None
    try:
        asked = json.loads(node.GetAttribute(REQUEST))
    except (AttributeError, TypeError, ValueError):
        asked = None
    if not isinstance(asked, dict) or not {"path", *REQUESTED} <= set(asked):
        name = sequence.GetName() if sequence is not None else _("Nothing")
        raise InputError(
            _("{name} does not say how it was made (its provenance node is missing): it cannot be repeated.").format(
                name=name
            )
        )
    return asked


def takesStacks(sequence: Any) -> bool:
    """Whether a result was made from several stacks."""
    from DynamicMRIReconSlicer import methodList

    return sequence.GetAttribute(METHOD) in methodList.titles("stacks")


def referenceOf(sequence: Any) -> Any:
    """The node or the path that a result was compared with; None where there was none, or it is gone."""
    node = sequence.GetNodeReference(REFERENCE)
    if node is not None:
        return node
    path = request(sequence).get("reference")
    return Path(path) if path is not None and Path(path).exists() else None


def cardiacOf(sequence: Any) -> str | None:
    """The region of the reference in which a result's cardiac figures were told; None where there are none."""
    return request(sequence).get("cardiac") if referenceOf(sequence) is not None else None


def metrics(sequence: Any) -> dict[str, list[float]]:
    """``psnr_db``, ``ssim`` and ``nrmse`` frame by frame against the reference, as far as the record tells them."""
    told = fullRecord(sequence.GetNodeReference(PROVENANCE)).get("metrics")
    found = {}
    for name in METRICS:
        values = told.get(name, {}).get("per_frame") if isinstance(told, dict) else None
        if isinstance(values, list) and len(values) == sequence.GetNumberOfDataNodes():
            found[name] = [float(value) for value in values]
    return found


def record(sequence: Any) -> dict[str, Any]:
    """The record that a sequence carries; empty for one that this module did not make."""
    try:
        kept = json.loads(sequence.GetAttribute(PROVENANCE) or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def fullRecord(node: Any) -> dict[str, Any]:
    """The record that a text node keeps; empty when there is none."""
    try:
        kept = json.loads(node.GetText())
    except (AttributeError, TypeError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
