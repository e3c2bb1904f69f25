"""Where a result comes from, kept with it: a text node, and attributes of the sequence that its files carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconLib.jobs import files

PREFIX = "DynamicMRIRecon."
METHOD = PREFIX + "Method"
PARAMETERS = PREFIX + "Parameters"
RUN = PREFIX + "Run"
SUMMARY = PREFIX + "Summary"
PROVENANCE = PREFIX + "Provenance"
SIMULATED = PREFIX + "Simulated"
PART = PREFIX + "Part"


def read(jobFolder: Path) -> dict[str, Any]:
    """The worker's provenance record; empty when it wrote none."""
    try:
        record: dict[str, Any] = json.loads((jobFolder / files.PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def attributes(request: Any, record: dict[str, Any], run: str, summary: str) -> dict[str, str]:
    """Attributes of the sequence node."""
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


def textNode(record: dict[str, Any], name: str) -> Any:
    """The record as a text node that a user can open."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", f"{name} provenance")
    node.SetText(json.dumps(record, indent=2, ensure_ascii=False))
    return node
