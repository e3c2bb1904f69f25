"""Loads a scripted module file as Slicer's factory does, and makes its widget."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import qt
import slicer


class ModuleParent:
    """The C++ side of a scripted module: what its Python class fills in."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, str(path)
        self.title = name
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.helpText = self.acknowledgementText = ""
        self.hidden, self.icon, self.index = False, None, -1
        self.widgetRepresentationCreationEnabled = True
        self.instance: Any = None
        self._representation: Any = None

    def widgetRepresentation(self) -> Any:
        if self._representation is None:
            self._representation = self.createNewWidgetRepresentation()
        return self._representation

    def createNewWidgetRepresentation(self) -> Any:
        return ModuleWidget(self)

    def forget_widget(self) -> None:
        self._representation = None


class ModuleWidget(slicer.qMRMLWidget):
    """The module panel: hosts the Python widget class."""

    def __init__(self, module: ModuleParent) -> None:
        super().__init__()
        qt.QVBoxLayout(self)
        self.setMRMLScene(slicer.mrmlScene)
        self.module = module
        python_module = sys.modules[module.name]
        self._python = getattr(python_module, f"{module.name}Widget")(self)
        setattr(slicer.modules, f"{module.name}Widget", self._python)
        self._python.setup()

    def self(self) -> Any:
        return self._python


def load_module(path: Path, io_manager: Any) -> ModuleParent:
    """Import the module file under its own name, make its class, register its file reader if it has one."""
    name = path.stem
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    python_module = importlib.util.module_from_spec(spec)
    sys.modules[name] = python_module
    spec.loader.exec_module(python_module)
    parent = ModuleParent(name, path)
    parent.instance = getattr(python_module, name)(parent)
    setattr(slicer.modules, name.lower(), parent)
    setattr(slicer.modules, f"{name}Instance", parent.instance)
    reader = getattr(python_module, f"{name}FileReader", None)
    if reader is not None:
        io_manager.register_scripted_reader(reader)
    return parent
