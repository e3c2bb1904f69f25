"""``--private``: names of files, which may name people, become hashes wherever a run writes about itself.

A hash hides a name from readers; it is no secret from someone who guesses the name and hashes the guess.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.job import Job

Redact = Callable[[str], str]
#: shorter names (``a``, ``scan``) would also be found inside of other words that mean something else
_SHORTEST_STEM = 5
_COMMON_PARTS = 2


def private_name(name: str) -> str:
    """``DOE_JOHN.nii.gz`` -> ``file-4f6e2a8b13cd.nii.gz``; only a suffix that a format has is kept."""
    suffix = _suffix(name)
    return f"file-{hashlib.sha256(name.encode()).hexdigest()[:12]}{suffix}"


def unchanged(text: str) -> str:
    """The redactor of a job that is not private."""
    return text


def redactor_of(job: Job | None) -> Redact:
    """Replaces the names of a private job's files, and of their folders, in a text; else gives the text as it is."""
    if job is None or not job.private:
        return unchanged
    names = _names(job)
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest_first))
    return lambda text: pattern.sub(lambda match: names[match[0]], text)


def redactor_in(folder: Path) -> Redact:
    """The redactor of the job in a folder; of one that cannot be read, nothing is known that could be hidden."""
    try:
        return redactor_of(Job.load(folder))
    except InputError:
        return redactor_of(None)


def redacted(value: Any, redact: Redact) -> Any:
    """``value`` with every text in it redacted, however deep in dictionaries, lists and tuples."""
    if redact is unchanged:
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redacted(key, redact): redacted(entry, redact) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(redacted(entry, redact) for entry in value)
    return value


def _names(job: Job) -> dict[str, str]:
    """What stands for each file, by all that it may be called: its path, its name, its stem; and its folder."""
    found: dict[str, str] = {}
    values = [value for value in job.parameters.values() if isinstance(value, str) and _is_path(value)]
    for text in [*(one.path for one in job.all_inputs()), *([job.output] if job.output else []), *values]:
        path = Path(text)
        hidden = private_name(path.name)
        stem = path.name.removesuffix(_suffix(path.name))
        for parent in path.parents:
            # what every computer has (/home, /data) names nobody
            if len(parent.parts) > _COMMON_PARTS:
                found.setdefault(str(parent), f"folder-{hashlib.sha256(str(parent).encode()).hexdigest()[:12]}")
        found |= {text: hidden, str(path): hidden, path.name: hidden}
        if len(stem) >= _SHORTEST_STEM:
            found[stem] = hidden.removesuffix(_suffix(path.name))
    return {name: hidden for name, hidden in found.items() if name}


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text


def _suffix(name: str) -> str:
    from DynamicMRIReconLib.io import formats

    known = {suffix for module in formats.all_formats() for suffix in module.SUFFIXES}
    return max((suffix for suffix in known if name.lower().endswith(suffix)), key=len, default="")
