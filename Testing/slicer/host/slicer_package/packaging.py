"""``slicer.packaging``: really checks what is installed; asks through the recorded dialogs; installs nothing."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import slicer.util
from packaging.requirements import Requirement


def load_requirements(path: str | Path) -> list[Requirement]:
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def pip_check(requirements: Any) -> bool:
    if isinstance(requirements, list):
        return all(pip_check(one) for one in requirements)
    requirement = Requirement(requirements) if isinstance(requirements, str) else requirements
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return importlib.metadata.version(requirement.name) in requirement.specifier
    except importlib.metadata.PackageNotFoundError:
        return False


def pip_install(requirements: Any, **details: Any) -> None:
    slicer.util.pip_install(requirements, **details)


def pip_ensure(
    requirements: Any, prompt_install: bool = True, requester: str | None = None, skip_in_testing: bool = True, **_: Any
) -> None:
    """Asks once for all that is missing. Raises RuntimeError when the user declines, as Slicer's does."""
    wanted = requirements if isinstance(requirements, list) else [requirements]
    missing = [str(one) for one in wanted if not pip_check(one)]
    if not missing or (skip_in_testing and slicer.app.testingEnabled()):
        return
    question = f"{requester or 'A module'} requires packages that are missing: {', '.join(missing)}. Install them?"
    if prompt_install and not slicer.util.confirmOkCancelDisplay(question):
        raise RuntimeError("User declined package installation")
    pip_install(missing)
