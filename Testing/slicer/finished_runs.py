"""Results in the scene as after a run, without the run: a finished job's folder through the module's own loader."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import scans

from DynamicMRIReconLib import io
from DynamicMRIReconLib.jobs import files


def finished_run(scan: Path, method: str, parameters: dict[str, Any], seconds: float, metrics: Any = None) -> Any:
    """The sequence of a run of ``method`` on ``scan`` whose result is ``scans.images()``."""
    from DynamicMRIReconSlicer.jobFolder import Request
    from DynamicMRIReconSlicer.results import loadResult

    request = Request(source=scan, method=method, parameters=parameters, seed=7, name=f"tiny {method}")
    record = {"method": method, "parameters": parameters, "inputs": [{"name": scan.name}]}
    with tempfile.TemporaryDirectory() as folder:
        io.write(Path(folder) / files.RESULT, scans.images().with_metadata(provenance=record))
        files.write_json(Path(folder) / files.PROVENANCE, {**record, "inputs": [{"path": str(scan)}]})
        event = {"event": "done", "elapsed_s": seconds, "metrics": metrics}
        return loadResult(request, Path(folder), event, []).sequence
