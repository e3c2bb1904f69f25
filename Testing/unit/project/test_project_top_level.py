"""The promises of the repository's front page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "name",
    [
        "CMakeLists.txt", "DynamicMRIRecon", "DynamicMRIReconLib", "Testing", "Resources", "README.md", "LICENSE.txt",
        "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "constraints.txt", "Makefile", ".ci/run",
        ".pre-commit-config.yaml",
    ],
)  # fmt: skip
def test_top_level_has(name: str) -> None:
    assert (ROOT / name).exists()


def test_readme_names_the_two_commands_and_ci_runs_the_test_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
    assert "not for diagnostic use" in readme.lower()
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_torch_is_pinned() -> None:
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()


def test_links_in_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_importing_the_library_brings_no_heavy_package() -> None:
    code = (
        "import sys, DynamicMRIReconLib, DynamicMRIReconLib.methods.registry as r; r.describe_all();"
        "heavy = {'torch', 'sigpy', 'numba', 'h5py', 'ismrmrd', 'nibabel', 'skimage', 'matplotlib', 'pydicom',"
        "'SimpleITK', 'finufft', 'torchkbnufft', 'scipy.optimize'};"
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
