"""Packages that a reconstruction needs: looked for without importing them, installed only after a yes."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import tempfile
from pathlib import Path

import slicer

from DynamicMRIReconSlicer.translation import tr as _

#: packages whose version Slicer (or its PyTorch extension) decides; pip may not touch them
NEVER_REPLACE = ("numpy", "scipy", "SimpleITK", "vtk", "requests", "torch", "pydicom")
REQUESTER = "Dynamic MRI Reconstruction"
TORCH_REQUIREMENT = ">=2.3"
_IMPORT_NAMES = {"pynrrd": "nrrd", "scikit-image": "skimage"}


class NotInstalled(RuntimeError):
    """Packages are missing and were not installed; the message says what to do."""


def requirements(path: str | Path) -> list[str]:
    """The lines of a requirements file."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def packageName(requirement: str) -> str:
    """``pydantic>=2.6`` -> ``pydantic``."""
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0]


def missing(path: str | Path) -> list[str]:
    """Requirements whose package cannot be imported; nothing is imported to find out."""
    found = []
    for requirement in requirements(path):
        name = packageName(requirement)
        if importlib.util.find_spec(_IMPORT_NAMES.get(name, name.replace("-", "_"))) is None:
            found.append(requirement)
    return found


def torchMissing() -> bool:
    """True when PyTorch is not installed."""
    return importlib.util.find_spec("torch") is None


def ensure(path: str | Path) -> None:
    """Make sure that everything is there; asks one question when something is missing.

    Raises
    ------
    NotInstalled
        The user said no, the PyTorch extension is missing, or an installation failed.
    """
    packages, torch = missing(path), torchMissing()
    if not packages and not torch:
        return
    if torch and importlib.util.find_spec("PyTorchUtils") is None:
        raise NotInstalled(
            _(
                "PyTorch is not installed. Install the extension PyTorch with Slicer's Extensions Manager, restart "
                "Slicer, then press Reconstruct again."
            )
        )
    names = [*([_("PyTorch (a large download)")] if torch else []), *(packageName(one) for one in packages)]
    if not slicer.util.confirmOkCancelDisplay(
        _(
            "{requester} needs packages that are not installed yet: {names}.\n\nThey are downloaded from the internet "
            "and installed into Slicer's Python; nothing that Slicer brings is replaced. Install them now?"
        ).format(requester=REQUESTER, names=", ".join(names)),
        windowTitle=_("Install packages"),
    ):
        raise NotInstalled(_("Packages are missing, and they were not installed: press Reconstruct to be asked again."))
    if torch:
        _installTorch()
    if packages:
        _installPackages(packages)
    importlib.invalidate_caches()


def _installTorch() -> None:
    import PyTorchUtils

    installed = PyTorchUtils.PyTorchUtilsLogic().installTorch(
        askConfirmation=False, torchVersionRequirement=TORCH_REQUIREMENT
    )
    if installed is None:
        raise NotInstalled(_("PyTorch could not be installed: open the module PyTorch Util to see why."))


def _installPackages(packages: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="DynamicMRIRecon-pip-") as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in bundledVersions()), encoding="utf-8")
        try:
            if importlib.util.find_spec("slicer.packaging") is not None:
                _installThroughPackaging(packages, constraints)
            else:
                for package in packages:
                    slicer.util.pip_install([package, "--constraint", str(constraints)])
        except Exception as error:
            raise NotInstalled(
                _("Packages could not be installed: {error}. See the Python console for details.").format(error=error)
            ) from error


def _installThroughPackaging(packages: list[str], constraints: Path) -> None:
    from packaging.requirements import Requirement
    from slicer import packaging

    packaging.pip_ensure(
        [Requirement(package) for package in packages],
        constraints=constraints,
        prompt_install=False,
        requester=REQUESTER,
    )


def bundledVersions() -> list[str]:
    """``name==version`` of every package that must stay as it is."""
    lines = []
    for name in NEVER_REPLACE:
        try:
            lines.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return lines
