"""Opening the module must work in a Slicer that has none of our dependencies: nothing of them at file scope."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "DynamicMRIRecon"
SOURCES = sorted(MODULE.rglob("*.py"))
#: what Slicer brings, besides the standard library
BROUGHT_BY_SLICER = {"numpy", "scipy", "SimpleITK", "vtk", "slicer", "qt", "ctk"}
OURS = {"DynamicMRIReconLib", "DynamicMRIReconSlicer"}


def imported_at_file_scope(tree: ast.Module) -> set[str]:
    """Top-level package names of every import that runs when the file is imported."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
        waiting.extend(ast.iter_child_nodes(node))
    return names


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(MODULE)) for path in SOURCES])
def test_file_scope_imports(path: Path) -> None:
    names = imported_at_file_scope(ast.parse(path.read_text(encoding="utf-8")))
    assert names - BROUGHT_BY_SLICER - OURS - set(sys.stdlib_module_names) == set()


def test_the_scan_sees_imports_in_classes_and_conditions_but_not_in_functions() -> None:
    source = "if True:\n import torch\nclass A:\n import h5py\ndef f():\n import sigpy\n"
    assert imported_at_file_scope(ast.parse(source)) == {"torch", "h5py"}


def test_library_parts_that_the_panel_imports_need_nothing_more() -> None:
    wanted = sorted(
        {
            node.module
            for path in SOURCES
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("DynamicMRIReconLib")
        }
        - {None}
    )
    assert "DynamicMRIReconLib.jobs.local" in wanted
    code = (
        f"import importlib, sys\nfor name in {wanted!r}: importlib.import_module(name)\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "bad = roots & {'pydantic', 'torch', 'h5py', 'ismrmrd', 'sigpy', 'nibabel', 'nrrd', 'skimage', 'matplotlib',"
        " 'finufft', 'torchkbnufft', 'pydicom', 'psutil', 'tqdm'}\n"
        "sys.exit(' '.join(sorted(bad)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_module_file_is_thin() -> None:
    lines = (MODULE / "DynamicMRIRecon.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150


def test_requirements_name_no_package_that_slicer_brings() -> None:
    text = (MODULE / "Resources" / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.strip().lower() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    names = {line.split(">")[0].split("=")[0].split("<")[0].strip() for line in lines}
    assert names
    assert names & {"numpy", "scipy", "simpleitk", "vtk", "requests", "torch", "pydicom"} == set()
