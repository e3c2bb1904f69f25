"""Slicer module: dynamic MRI reconstruction from k-space or a cine series to a Sequence that can be measured.

This file only names the classes that Slicer looks for; the parts are in ``DynamicMRIReconSlicer``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

_HERE = Path(__file__).resolve().parent
# Installed, everything lies beside this file; in a source checkout the library is one folder up.
for _package, _folder in (("DynamicMRIReconSlicer", _HERE), ("DynamicMRIReconLib", _HERE.parent)):
    if importlib.util.find_spec(_package) is None:
        sys.path.append(str(_folder))

from DynamicMRIReconSlicer import sampleData, texts  # noqa: E402
from DynamicMRIReconSlicer.fileReader import KSpaceFileReader  # noqa: E402
from DynamicMRIReconSlicer.logic import ReconstructionLogic  # noqa: E402
from DynamicMRIReconSlicer.panel import Panel  # noqa: E402


class DynamicMRIRecon(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = texts.TITLE
        self.parent.categories = ["Cardiac"]
        self.parent.dependencies = ["Sequences", "Markups", "Plots", "Tables"]
        self.parent.contributors = ["The DynamicMRIRecon developers"]
        self.parent.helpText = texts.helpText()
        self.parent.acknowledgementText = texts.ACKNOWLEDGEMENT
        slicer.app.connect("startupCompleted()", sampleData.register)


class DynamicMRIReconWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel and its life: opened, left, scene closed, Slicer closed."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: DynamicMRIReconLogic | None = None
        self.panel: Panel | None = None

    def setup(self) -> None:
        """Build the panel; needs no main window."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DynamicMRIRecon.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = DynamicMRIReconLogic()
        self.panel = Panel(self.ui, self.logic, self.resourcePath("requirements.txt"))
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndClose)
        self.panel.restore()

    def enter(self) -> None:
        """The user opens the module."""
        self.onSceneEndClose()

    def exit(self) -> None:
        """The user leaves the module; a running reconstruction goes on."""
        if self.panel is not None:
            self.panel.save()

    def onSceneStartClose(self, *_: Any) -> None:
        """What runs belongs to the scene that goes: stop it."""
        if self.panel is not None:
            self.panel.sceneCloses()

    def onSceneEndClose(self, *_: Any) -> None:
        """Show the settings of the scene that is there now."""
        if self.panel is not None:
            self.panel.restore()

    def cleanup(self) -> None:
        """Slicer closes or the module is reloaded: nothing may go on running or be left behind."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.cleanup()
            self.panel = None


class DynamicMRIReconLogic(ScriptedLoadableModuleLogic, ReconstructionLogic):
    """Reconstructions and line profiles without the panel; see ``ReconstructionLogic``.

    >>> logic = slicer.util.getModuleLogic("DynamicMRIRecon")
    >>> result = logic.reconstruct("/data/scan.h5", "cg-sense", {"iterations": 10})
    >>> profile = logic.computeLineProfile(result.sequence, slicer.util.getNode("L"))
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        ReconstructionLogic.__init__(self)


class DynamicMRIReconFileReader:
    """Offers k-space files in Slicer's Add Data dialog and on drag and drop."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.reader = KSpaceFileReader(parent)

    def description(self) -> str:
        """What the dialog calls it."""
        return self.reader.DESCRIPTION

    def fileType(self) -> str:
        """Slicer's name of this kind of file."""
        return self.reader.FILE_TYPE

    def extensions(self) -> list[str]:
        """File filters."""
        return self.reader.EXTENSIONS

    def canLoadFile(self, filePath: str) -> bool:
        """Whether it looks like k-space; opens no large file."""
        return self.reader.canLoadFile(filePath)

    def load(self, properties: dict[str, Any]) -> bool:
        """Put a node that stands for the file into the scene."""
        return self.reader.load(properties)


class DynamicMRIReconTest(ScriptedLoadableModuleTest):
    """Self-test: a tiny simulated scan through the real worker; no network, no GPU."""

    def runTest(self) -> None:
        """Run every check on an empty scene."""
        from DynamicMRIReconSlicer.selfTest import SelfTest

        for name in SelfTest.names():
            self.delayDisplay(name, 50)
            SelfTest(DynamicMRIReconLogic()).run(name)
        self.delayDisplay("Dynamic MRI Reconstruction: all self-tests passed.")
