"""The host refuses what PythonQt refuses, so that a panel that runs here runs in Slicer."""

from __future__ import annotations

from typing import Any

import pytest

UI = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0"><class>Form</class><widget class="qMRMLWidget" name="Form"><layout class="QVBoxLayout">
<item><widget class="ctkCollapsibleButton" name="section"><property name="text"><string>Input</string></property>
<property name="collapsed"><bool>true</bool></property><layout class="QFormLayout">
<item row="0" column="0"><widget class="QLabel" name="label"><property name="text"><string>Volume</string></property>
</widget></item><item row="0" column="1"><widget class="qMRMLNodeComboBox" name="selector">
<property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
<property name="noneEnabled"><bool>true</bool></property></widget></item>
<item row="1" column="1"><widget class="QSpinBox" name="count"><property name="maximum"><number>7</number></property>
</widget></item></layout></widget></item></layout></widget>
<customwidgets><customwidget><class>qMRMLWidget</class><extends>QWidget</extends><container>1</container></customwidget>
<customwidget><class>ctkCollapsibleButton</class><extends>QWidget</extends><container>1</container></customwidget>
<customwidget><class>qMRMLNodeComboBox</class><extends>QWidget</extends></customwidget></customwidgets>
<connections><connection><sender>Form</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>
"""


@pytest.fixture
def form(slicer_host: Any, tmp_path: Any) -> Any:
    import slicer

    path = tmp_path / "form.ui"
    path.write_text(UI)
    return slicer.util.loadUI(str(path))


def test_ui_file_gives_strict_widgets_with_their_properties(form: Any) -> None:
    import slicer

    ui = slicer.util.childWidgetVariables(form)
    assert ui.section.property("text") == "Input"
    assert ui.section.property("collapsed") is True
    assert ui.count.property("maximum") == 7
    assert list(ui.selector.property("nodeTypes")) == ["vtkMRMLScalarVolumeNode"]


def test_ui_connection_hands_the_scene_to_the_selector(form: Any) -> None:
    import numpy as np
    import slicer

    ui = slicer.util.childWidgetVariables(form)
    assert ui.selector.mrmlScene() is None
    form.setMRMLScene(slicer.mrmlScene)
    volume = slicer.util.addVolumeFromArray(np.zeros((1, 2, 3), np.float32), name="Cine")
    heard: list[tuple[Any, ...]] = []
    ui.selector.currentNodeChanged.connect(lambda *arguments: heard.append(arguments))
    ui.selector.setCurrentNode(volume)
    assert heard == [(volume,)]
    slicer.mrmlScene.RemoveNode(volume)
    assert heard == [(volume,), (None,)]
    assert ui.selector.currentNode() is None


@pytest.mark.parametrize(
    ("widget_class", "getter"),
    [
        ("QSpinBox", "value"),
        ("QLineEdit", "text"),
        ("QComboBox", "count"),
        ("QComboBox", "currentText"),
        ("QComboBox", "currentIndex"),
        ("QLabel", "text"),
        ("QProgressBar", "value"),
        ("QTableWidget", "rowCount"),
        ("QGroupBox", "title"),
        ("QWidget", "toolTip"),
    ],
)
def test_calling_a_property_fails(slicer_host: Any, widget_class: str, getter: str) -> None:
    import qt

    widget = getattr(qt, widget_class)()
    assert getattr(widget, getter) == widget.property(getter)
    with pytest.raises(TypeError, match="not callable"):
        getattr(widget, getter)()


def test_setters_that_are_no_slots_are_missing(slicer_host: Any) -> None:
    import ctk
    import slicer

    button = ctk.ctkCollapsibleButton("Advanced")
    with pytest.raises(AttributeError):
        button.setCollapsed(True)
    button.setProperty("collapsed", True)
    assert button.property("collapsed") is True
    with pytest.raises(AttributeError):
        slicer.qMRMLNodeComboBox().setNodeTypes(["vtkMRMLNode"])


def test_process_gives_one_argument_and_bytes_through_data(slicer_host: Any) -> None:
    import qt

    process, heard = qt.QProcess(), []
    process.finished.connect(lambda *arguments: heard.append(arguments))
    process.start("/bin/sh", ["-c", "printf hello; exit 4"])
    assert slicer_host.wait_until(lambda: heard, 10)
    assert heard == [(4,)]
    output = process.readAllStandardOutput()
    assert output.data() == b"hello"
    with pytest.raises(TypeError):
        bytes(output)


def test_process_that_cannot_start_reports_an_error_and_no_end(slicer_host: Any) -> None:
    import qt

    process, errors, ends = qt.QProcess(), [], []
    process.errorOccurred.connect(lambda *arguments: errors.append(arguments))
    process.finished.connect(lambda *arguments: ends.append(arguments))
    process.start("/nowhere/program", [])
    assert slicer_host.wait_until(lambda: errors, 10)
    assert (errors, ends) == ([(0,)], [])


def test_dialogs_are_written_down_and_answered(slicer_host: Any) -> None:
    import slicer

    slicer_host.dialogs.answers = [False]
    assert slicer.util.confirmOkCancelDisplay("Really?") is False
    slicer.util.errorDisplay("It broke", detailedText="trace")
    assert [(dialog.kind, dialog.text) for dialog in slicer_host.dialogs.shown] == [
        ("confirm", "Really?"),
        ("error", "It broke"),
    ]


def test_an_error_in_a_slot_is_not_lost(slicer_host: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import qt

    button = qt.QPushButton()
    button.clicked.connect(lambda *_: 1 / 0)
    button.click()
    assert [type(error) for error in slicer_host.slot_errors] == [ZeroDivisionError]
    slicer_host.slot_errors.clear()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_nothing_is_installed(slicer_host: Any) -> None:
    import slicer
    import slicer.packaging

    slicer_host.dialogs.answers = [False]
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure(["a-package-nobody-has>=9"], requester="Test")
    with pytest.raises(RuntimeError, match="installs nothing"):
        slicer.util.pip_install("a-package-nobody-has")
    assert slicer.packaging.pip_check("numpy>=1.20") is True
