"""Slicer's ``qt`` module: QtCore, QtGui, QtWidgets and QtUiTools in one namespace, as strict as PythonQt."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar
from xml.etree import ElementTree

from host import strict as _strict
from PySide6 import QtCore as _core
from PySide6 import QtGui as _gui
from PySide6 import QtUiTools as _ui_tools
from PySide6 import QtWidgets as _widgets

for _module in (_core, _gui, _widgets):
    for _name in dir(_module):
        _value = getattr(_module, _name)
        if _name.startswith("Q") and inspect.isclass(_value):
            _is_object = issubclass(_value, _core.QObject) and _name.startswith(("QTimer", "QAction"))
            _is_widget = issubclass(_value, _widgets.QWidget)
            globals()[_name] = _strict.strict(_value) if _is_widget or _is_object else _value
Qt = _core.Qt
QObject = _core.QObject


def qVersion() -> str:
    return _core.qVersion()


class ByteArray:
    """PythonQt's QByteArray: ``data()`` is bytes, and ``bytes(array)`` fails."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def data(self) -> bytes:
        return self._content

    def size(self) -> int:
        return len(self._content)

    def __bytes__(self) -> bytes:
        raise TypeError("cannot convert 'QByteArray' object to bytes: use data()")


class _FirstArgument:
    """A signal that hands its slots the first argument only, enums as int."""

    def __init__(self, signal: Any, slots: dict[Any, Any]) -> None:
        self._signal, self._slots = signal, slots

    def connect(self, slot: Any) -> bool:
        def call(first: Any, *_rest: Any) -> None:
            slot(first if isinstance(first, int) else first.value)

        self._slots[slot] = call
        self._signal.connect(call)
        return True

    def disconnect(self, slot: Any = None) -> bool:
        for known in list(self._slots) if slot is None else [slot]:
            self._signal.disconnect(self._slots.pop(known))
        return True


class QProcess(_core.QProcess):
    """``finished`` gives the exit code alone; what is read comes as PythonQt's byte array."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._adapted: dict[str, dict[Any, Any]] = {"finished": {}, "errorOccurred": {}}

    def __getattribute__(self, name: str) -> Any:
        # a class attribute would not do: PySide looks for signals before it looks at the class
        if name in ("finished", "errorOccurred"):
            return _FirstArgument(super().__getattribute__(name), self._adapted[name])
        return super().__getattribute__(name)

    def readAllStandardOutput(self) -> ByteArray:
        return ByteArray(super().readAllStandardOutput().data())

    def readAllStandardError(self) -> ByteArray:
        return ByteArray(super().readAllStandardError().data())

    def readAll(self) -> ByteArray:
        return ByteArray(super().readAll().data())


class QFileDialog(globals()["QFileDialog"]):  # type: ignore[misc]
    """Static dialogs answer from ``answers`` with a plain string, as PythonQt's do."""

    answers: ClassVar[list[Any]] = []

    @classmethod
    def _answer(cls) -> Any:
        return cls.answers.pop(0) if cls.answers else ""

    @classmethod
    def getOpenFileName(cls, *_args: Any) -> str:
        return cls._answer()

    @classmethod
    def getSaveFileName(cls, *_args: Any) -> str:
        return cls._answer()

    @classmethod
    def getExistingDirectory(cls, *_args: Any) -> str:
        return cls._answer()

    @classmethod
    def getOpenFileNames(cls, *_args: Any) -> list[str]:
        return cls._answer() or []


class QDesktopServices(_gui.QDesktopServices):
    """Remembers what would have been opened."""

    opened: ClassVar[list[str]] = []

    @classmethod
    def openUrl(cls, url: Any) -> bool:
        cls.opened.append(url.toString())
        return True


def _custom_classes() -> dict[str, Any]:
    import ctk
    import slicer

    found = {name: value for name, value in vars(ctk).items() if name.startswith("ctk")}
    found.update({name: value for name, value in vars(slicer).items() if name.startswith("qMRML")})
    return found


class QUiLoader(_ui_tools.QUiLoader):
    """Makes the strict classes for a ``.ui`` file; an unknown custom class is an error, not a silent QWidget."""

    def createWidget(self, class_name: str, parent: Any = None, name: str = "") -> Any:
        known = _custom_classes().get(class_name) or globals().get(class_name)
        if known is None:
            raise RuntimeError(f"The .ui file uses {class_name}, which the host does not have.")
        widget = known(parent) if parent is not None else known()
        widget.setObjectName(name)
        return widget

    def load(self, device: Any, parent: Any = None) -> Any:
        content = device.readAll()
        form = super().load(_core.QBuffer(content), parent)
        for connection in ElementTree.fromstring(content.data()).iter("connection"):
            if connection.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)":
                self._by_name(form, connection.findtext("sender")).connect_scene(
                    self._by_name(form, connection.findtext("receiver"))
                )
        return form

    @staticmethod
    def _by_name(form: Any, name: str | None) -> Any:
        if form.objectName == name:
            return form
        found = form.findChild(_core.QObject, name)
        if found is None:
            raise RuntimeError(f"The .ui file connects {name}, which it does not contain.")
        return found
