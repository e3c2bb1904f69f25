"""PySide6 classes that behave as PythonQt shows them: a Qt property is an attribute, never a method.

``spin.value()`` raises ``TypeError: 'int' object is not callable`` here as it does inside Slicer, and ``w.name`` is the
object name. Properties whose getter is virtual in C++ are left alone: PySide would ask the Python class for them.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

Meta = type(QtCore.QObject)
VIRTUAL_GETTERS = {"sizeHint", "minimumSizeHint", "hasHeightForWidth"}
VIRTUAL_BY_CLASS = {"QProgressBar": {"text"}}
STATIC_FUNCTIONS = {"singleShot"}


class StrictMeta(Meta):  # type: ignore[misc, valid-type]
    """``isinstance(label, qt.QWidget)`` holds although strict classes do not inherit from one another."""

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(cls.__dict__.get("qt_class", cls), instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return type.__subclasscheck__(cls.__dict__.get("qt_class", cls), subclass)


def _attribute(name: str) -> property:
    def read(self: Any) -> Any:
        return QtCore.QObject.property(self, name)

    def write(self: Any, value: Any) -> None:
        if not QtCore.QObject.setProperty(self, name, value):
            raise TypeError(f"{type(self).__name__}.{name} does not take {value!r}")

    return property(read, write)


def property_names(qt_class: type) -> list[str]:
    """Names of all Qt properties of a class, inherited ones included."""
    meta = qt_class.staticMetaObject  # type: ignore[attr-defined]
    return [meta.property(i).name() for i in range(meta.propertyCount())]


def strict(qt_class: type) -> type:
    """A subclass of ``qt_class`` whose Qt properties are attributes."""
    left_alone = VIRTUAL_GETTERS | STATIC_FUNCTIONS | VIRTUAL_BY_CLASS.get(qt_class.__name__, set())
    body: dict[str, Any] = {name: _attribute(name) for name in property_names(qt_class) if name not in left_alone}
    body["name"] = _attribute("objectName")
    body["qt_class"] = qt_class
    body["className"] = lambda self: qt_class.__name__
    return StrictMeta(qt_class.__name__, (qt_class,), body)
