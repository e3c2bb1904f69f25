"""The application object, the scene and the module logics."""

from __future__ import annotations

import atexit
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import qt
import slicer
import slicer.util
from PySide6 import QtCore, QtGui, QtWidgets

from .dialogs import Dialogs

HERE = Path(__file__).resolve().parent
LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
}


class Application(QtCore.QObject):
    """``slicer.app``."""

    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()

    def __init__(self, folder: Path, application_logic: Any) -> None:
        super().__init__()
        self._logic = application_logic
        self._io: Any = None
        self._layout: Any = None
        self._testing = False
        self.modules: dict[str, Any] = {}
        self.applicationName = "Slicer"
        self.applicationVersion, self.majorVersion, self.minorVersion = "5.13.0", 5, 13
        self.revision, self.repositoryRevision, self.os = "33000", "host", "linux"
        self.temporaryPath = str(folder / "temporary")
        self.slicerHome = str(folder / "home")
        self.launcherExecutableFilePath = ""
        for path in (self.temporaryPath, self.slicerHome):
            Path(path).mkdir(parents=True)

    def set_managers(self, io_manager: Any, layout_manager: Any) -> None:
        self._io, self._layout = io_manager, layout_manager

    def applicationLogic(self) -> Any:
        return self._logic

    def mrmlScene(self) -> Any:
        return slicer.mrmlScene

    def coreIOManager(self) -> Any:
        return self._io

    ioManager = coreIOManager

    def layoutManager(self) -> Any:
        return self._layout

    def moduleManager(self) -> Any:
        names = SimpleNamespace(loadedModuleNames=lambda: list(self.modules))
        return SimpleNamespace(module=self.modules.get, factoryManager=lambda: names)

    def processEvents(self, *_: Any) -> None:
        QtWidgets.QApplication.processEvents()

    def userSettings(self) -> Any:
        return qt.QSettings()

    settings = userSettings

    def testingEnabled(self) -> bool:
        return self._testing

    def set_testing(self, enabled: bool) -> None:
        self._testing = enabled

    def startupEnvironment(self) -> Any:
        return qt.QProcessEnvironment.systemEnvironment()

    def setOverrideCursor(self, cursor: Any) -> None:
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QtWidgets.QApplication.restoreOverrideCursor()

    def pauseRender(self) -> None:
        return None

    def resumeRender(self) -> None:
        return None

    def topLevelWidgets(self) -> list[Any]:
        return QtWidgets.QApplication.topLevelWidgets()

    def commandOptions(self) -> Any:
        return SimpleNamespace(noMainWindow=True, testingEnabled=self._testing)

    def connect(self, signature: str, slot: Callable[..., Any]) -> bool:
        getattr(self, signature.partition("(")[0]).connect(slot)
        return True


class SequencesModule:
    """``slicer.modules.sequences``."""

    name = "Sequences"

    def __init__(self, logic: Any) -> None:
        self._logic = logic
        self.toolbar_browser: Any = None
        self.toolbar_visible = False

    def logic(self) -> Any:
        return self._logic

    def setToolBarActiveBrowserNode(self, browser: Any) -> None:
        self.toolbar_browser = browser

    def setToolBarVisible(self, visible: bool) -> None:
        self.toolbar_visible = visible


class Host:
    """One running application: scene, logics, settings, recorded dialogs, errors raised in slots."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="slicer-host-")
        atexit.register(self._folder.cleanup)
        folder = Path(self._folder.name)
        self.qt_application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        self._use_readable_font()
        self._use_settings(folder / "settings")
        self.slot_errors: list[BaseException] = []
        sys.excepthook = self._slot_failed
        self.scene = slicer.vtkMRMLScene()
        slicer.mrmlScene = self.scene
        self._start_logics(folder)
        self.app = Application(folder, self._application_logic)
        slicer.app = self.app
        slicer.selfTests = {}
        self.dialogs = Dialogs()
        self.dialogs.install(slicer.util)
        slicer.util.mainWindow = lambda: None
        slicer.__path__.append(str(HERE / "slicer_package"))
        self._attach_widgets_and_managers()

    def _slot_failed(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.slot_errors.append(error)
        sys.__excepthook__(kind, error, trace)

    def _use_readable_font(self) -> None:
        if "DejaVu Sans" not in QtGui.QFontDatabase.families():
            import matplotlib

            QtGui.QFontDatabase.addApplicationFont(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf")
        self.qt_application.setFont(QtGui.QFont("DejaVu Sans", 9))
        self.qt_application.setStyle("Fusion")

    def _use_settings(self, folder: Path) -> None:
        QtCore.QCoreApplication.setOrganizationName("NA-MIC")
        QtCore.QCoreApplication.setApplicationName("Slicer")
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder))

    def _start_logics(self, folder: Path) -> None:
        logic = self._application_logic = slicer.vtkSlicerApplicationLogic()
        logic.SetMRMLScene(self.scene)
        logic.GetColorLogic().SetMRMLScene(self.scene)
        logic.GetColorLogic().AddDefaultColorNodes()
        self.logics = {name: self._attach(name, getattr(slicer, cls)()) for name, cls in LOGICS.items()}
        # .mrb files need a cache folder
        remote = self._remote = self._attach("RemoteIO", slicer.vtkMRMLRemoteIOLogic())
        cache = folder / "cache"
        cache.mkdir()
        remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        data_io = self._data_io = self._attach("DataIO", slicer.vtkDataIOManagerLogic())
        data_io.SetAndObserveDataIOManager(remote.GetDataIOManager())
        remote.AddDataIOToScene()

    def _attach(self, name: str, logic: Any) -> Any:
        logic.SetMRMLScene(self.scene)
        logic.SetMRMLApplicationLogic(self._application_logic)
        self._application_logic.SetModuleLogic(name, logic)
        return logic

    def _attach_widgets_and_managers(self) -> None:
        from . import mrml_widgets
        from .io_manager import CoreIOManager
        from .layout import LayoutManager
        from .subject_hierarchy import SubjectHierarchyItems

        slicer.qMRMLWidget = mrml_widgets.qMRMLWidget
        slicer.qMRMLNodeComboBox = mrml_widgets.qMRMLNodeComboBox
        modules = {name.lower(): SimpleNamespace(name=name, logic=lambda x=x: x) for name, x in self.logics.items()}
        modules["sequences"] = SequencesModule(self.logics["Sequences"])
        slicer.modules = SimpleNamespace(**modules)
        self.app.modules.update(modules)
        self.layout_manager = LayoutManager(self.scene, self._application_logic)
        self.io_manager = CoreIOManager(self.scene, self.logics["Sequences"])
        self.app.set_managers(self.io_manager, self.layout_manager)
        self._subject_hierarchy = SubjectHierarchyItems(self.scene)
        from . import modules as module_loader

        slicer.qSlicerScriptedLoadableModuleWidget = module_loader.ModuleWidget
        self._module_loader = module_loader

    def load_module(self, path: Path) -> Any:
        """Load a scripted module file; ``slicer.modules.<name>`` exists afterwards, startup is announced."""
        module = self._module_loader.load_module(path, self.io_manager)
        self.app.modules[module.name] = module
        self.app.startupCompleted.emit()
        return module

    def clear_scene(self) -> None:
        """Close the scene as File > Close scene does, and let deferred work run."""
        self.scene.Clear(False)
        self.layout_manager.sliceViewNames()
        self.app.processEvents()

    def wait_until(self, condition: Callable[[], Any], timeout_s: float) -> bool:
        """Run the event loop until ``condition()`` holds; False when it did not within ``timeout_s``."""
        loop = QtCore.QEventLoop()
        ends = QtCore.QElapsedTimer()
        ends.start()
        check = QtCore.QTimer()

        def look() -> None:
            if condition() or ends.hasExpired(round(1000 * timeout_s)):
                loop.quit()

        check.timeout.connect(look)
        check.start(10)
        if not condition():
            loop.exec()
        check.stop()
        return bool(condition())
