"""What decides about a result, as one hash: equal fingerprints, equal results."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import DynamicMRIReconLib
from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.jobs.job import Job

_FILES = ("inputs", "masks", "trajectory", "coil_maps", "reference")


def fingerprint(job: Job, values: Any) -> str:
    """SHA-256 of what a job makes: content of its inputs, method, every parameter, options, this version.

    Names of files are not in it: a parameter that names a file stands for the file's content, and where the output
    goes does not matter. ``values`` are the method's checked ``Parameters``; the inputs must be hashed
    (``job.inputs[0].sha256``).

    Raises
    ------
    InputError
        A file that a parameter names cannot be read.
    """
    request = job.model_dump(mode="json", exclude={"output", "parameters", "memory_check"})
    for name in _FILES:
        found = request[name]
        request[name] = [one["sha256"] for one in found] if isinstance(found, list) else found and found["sha256"]
    parameters = {name: _content(value) for name, value in values.model_dump(mode="json").items()}
    entry = {**request, "parameters": parameters, "version": DynamicMRIReconLib.__version__}
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _content(value: Any) -> Any:
    try:
        return sha256_of(Path(value)) if isinstance(value, str) and value and Path(value).is_file() else value
    except (OSError, ValueError):  # too long for a path, or with characters that no path has
        return value
