"""The CTK widgets that modules use, working, on PySide6.

Only what is a slot or a property in CTK is there:
``setCollapsed`` is neither; ``setProperty("collapsed", True)`` works.
"""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Property, Signal, Slot


class ctkCollapsibleButton(qt.QWidget):
    """A titled section that folds away."""

    contentsCollapsed = Signal(bool)
    toggled = Signal(bool)
    clicked = Signal(bool)
    HEADER = 24

    def __init__(self, *arguments: Any) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        parent = arguments[-1] if arguments and not isinstance(arguments[-1], str) else None
        super().__init__(parent)
        self._text, self._collapsed, self._unused = text, False, 6
        self.setContentsMargins(0, self.HEADER, 0, 0)

    def _set_text(self, text: str) -> None:
        self._text = text
        self.update()

    def _set_collapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self.setMaximumHeight(self.HEADER if collapsed else 16777215)
        self.updateGeometry()
        self.update()
        self.contentsCollapsed.emit(collapsed)
        self.toggled.emit(not collapsed)

    text = Property(str, lambda self: self._text, _set_text)
    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)
    checked = Property(bool, lambda self: not self._collapsed, lambda self, on: self._set_collapsed(not on))
    collapsedHeight = Property(int, lambda self: self._unused, lambda self, v: setattr(self, "_unused", v))
    flat = Property(bool, lambda self: False, lambda self, v: None)

    @Slot(str)
    def setText(self, text: str) -> None:
        self._set_text(text)

    @Slot(bool)
    def setChecked(self, on: bool) -> None:
        self._set_collapsed(not on)

    def mousePressEvent(self, event: Any) -> None:
        if event.position().y() <= self.HEADER:
            self._set_collapsed(not self._collapsed)
            self.clicked.emit(not self._collapsed)

    def paintEvent(self, event: Any) -> None:
        painter = qt.QPainter(self)
        painter.fillRect(0, 0, self.width, self.HEADER - 3, self.palette.color(qt.QPalette.Button))
        painter.setPen(self.palette.color(qt.QPalette.Mid))
        painter.drawRect(0, 0, self.width - 1, self.HEADER - 4)
        style, option = self.style(), qt.QStyleOption()
        option.initFrom(self)
        option.rect = qt.QRect(6, 5, 10, 10)
        arrow = qt.QStyle.PE_IndicatorArrowRight if self._collapsed else qt.QStyle.PE_IndicatorArrowDown
        style.drawPrimitive(arrow, option, painter, self)
        painter.setPen(self.palette.color(qt.QPalette.ButtonText))
        box = qt.QRect(22, 0, self.width - 24, self.HEADER - 4)
        painter.drawText(box, int(qt.Qt.AlignVCenter | qt.Qt.AlignLeft), self._text)
        painter.end()


class ctkCollapsibleGroupBox(qt.QGroupBox):
    """A group box whose check box folds it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.setCheckable(True)
        self._folds = self.toggled.connect(self._fold)

    def _fold(self, shown: bool) -> None:
        self.setMaximumHeight(16777215 if shown else 24)

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, folded: self.setChecked(not folded))
    collapsedHeight = Property(int, lambda self: 14, lambda self, v: None)


class _Row(qt.QWidget):
    """A widget made of others in one row without margins."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._row = qt.QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)


class ctkDoubleSpinBox(_Row):
    """A number with unit. Inner widget: a plain spin box."""

    valueChanged = Signal(float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._spin = qt.QDoubleSpinBox(self)
        self._row.addWidget(self._spin)
        self._spin.valueChanged.connect(self.valueChanged.emit)

    value = Property(float, lambda self: self._spin.value, lambda self, v: self._spin.setValue(v), notify=valueChanged)
    minimum = Property(float, lambda self: self._spin.minimum, lambda self, v: self._spin.setMinimum(v))
    maximum = Property(float, lambda self: self._spin.maximum, lambda self, v: self._spin.setMaximum(v))
    singleStep = Property(float, lambda self: self._spin.singleStep, lambda self, v: self._spin.setSingleStep(v))
    decimals = Property(int, lambda self: self._spin.decimals, lambda self, v: self._spin.setDecimals(v))
    suffix = Property(str, lambda self: self._spin.suffix, lambda self, v: self._spin.setSuffix(v))
    prefix = Property(str, lambda self: self._spin.prefix, lambda self, v: self._spin.setPrefix(v))

    @Slot(float)
    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    @Slot(float)
    def setMinimum(self, value: float) -> None:
        self._spin.setMinimum(value)

    @Slot(float)
    def setMaximum(self, value: float) -> None:
        self._spin.setMaximum(value)

    @Slot(float, float)
    def setRange(self, low: float, high: float) -> None:
        self._spin.setRange(low, high)

    @Slot(int)
    def setDecimals(self, count: int) -> None:
        self._spin.setDecimals(count)

    @Slot(float)
    def setSingleStep(self, step: float) -> None:
        self._spin.setSingleStep(step)


class ctkSliderWidget(ctkDoubleSpinBox):
    """A slider with its spin box."""

    valueIsChanging = Signal(float)
    STEPS = 1000

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._slider = qt.QSlider(qt.Qt.Horizontal, self)
        self._slider.setRange(0, self.STEPS)
        self._row.insertWidget(0, self._slider, 1)
        self._slider.sliderMoved.connect(self._dragged)
        self._spin.valueChanged.connect(self._follow)
        self._tracking = True

    def _dragged(self, step: int) -> None:
        low, high = self._spin.minimum, self._spin.maximum
        self._spin.setValue(low + (high - low) * step / self.STEPS)

    def _follow(self, value: float) -> None:
        low, high = self._spin.minimum, self._spin.maximum
        self._slider.setValue(round(self.STEPS * (value - low) / (high - low)) if high > low else 0)

    pageStep = Property(float, lambda self: 1.0, lambda self, v: None)
    tracking = Property(bool, lambda self: self._tracking, lambda self, v: setattr(self, "_tracking", v))


class ctkRangeWidget(_Row):
    """A lower and an upper value."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._low, self._high = qt.QDoubleSpinBox(self), qt.QDoubleSpinBox(self)
        self._row.addWidget(self._low)
        self._row.addWidget(self._high)
        self._low.valueChanged.connect(self._low_changed)
        self._high.valueChanged.connect(self._high_changed)

    def _low_changed(self, value: float) -> None:
        if value > self._high.value:
            self._high.setValue(value)
        self.minimumValueChanged.emit(value)
        self.valuesChanged.emit(self._low.value, self._high.value)

    def _high_changed(self, value: float) -> None:
        if value < self._low.value:
            self._low.setValue(value)
        self.maximumValueChanged.emit(value)
        self.valuesChanged.emit(self._low.value, self._high.value)

    def _set_limit(self, which: str, value: float) -> None:
        for spin in (self._low, self._high):
            getattr(spin, which)(value)

    minimumValue = Property(float, lambda self: self._low.value, lambda self, v: self._low.setValue(v))
    maximumValue = Property(float, lambda self: self._high.value, lambda self, v: self._high.setValue(v))
    minimum = Property(float, lambda self: self._low.minimum, lambda self, v: self._set_limit("setMinimum", v))
    maximum = Property(float, lambda self: self._low.maximum, lambda self, v: self._set_limit("setMaximum", v))
    decimals = Property(int, lambda self: self._low.decimals, lambda self, v: self._set_limit("setDecimals", v))
    suffix = Property(str, lambda self: self._low.suffix, lambda self, v: self._set_limit("setSuffix", v))

    @Slot(float, float)
    def setValues(self, low: float, high: float) -> None:
        self._low.setValue(low)
        self._high.setValue(high)

    @Slot(float, float)
    def setRange(self, low: float, high: float) -> None:
        for spin in (self._low, self._high):
            spin.setRange(low, high)


class ctkPathLineEdit(_Row):
    """A path with a history and a browse button."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._combo = qt.QComboBox(self)
        self._combo.setEditable(True)
        self._combo.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self._browse = qt.QToolButton(self)
        self._browse.setText("...")
        self._row.addWidget(self._combo)
        self._row.addWidget(self._browse)
        self._path, self._name_filters, self._setting_key, self._filters = "", [], "", 0
        self._combo.editTextChanged.connect(self._edited)
        self._browse.clicked.connect(lambda *_: self.browse())

    def _edited(self, text: str) -> None:
        if text != self._path:
            self._path = text
            self.currentPathChanged.emit(text)

    currentPath = Property(
        str, lambda self: self._path, lambda self, path: self.setCurrentPath(path), notify=currentPathChanged
    )
    nameFilters = Property(
        "QStringList", lambda self: self._name_filters, lambda self, v: setattr(self, "_name_filters", list(v))
    )
    settingKey = Property(str, lambda self: self._setting_key, lambda self, v: setattr(self, "_setting_key", v))
    filters = Property(int, lambda self: self._filters, lambda self, v: setattr(self, "_filters", v))
    showBrowseButton = Property(
        bool, lambda self: not self._browse.isHidden(), lambda self, v: self._browse.setVisible(v)
    )
    showHistoryButton = Property(bool, lambda self: True, lambda self, v: None)
    readOnly = Property(bool, lambda self: False, lambda self, v: None)

    @Slot(str)
    def setCurrentPath(self, path: str) -> None:
        self._combo.setEditText(path)

    @Slot()
    def addCurrentPathToHistory(self) -> None:
        if self._combo.findText(self._path) < 0:
            self._combo.addItem(self._path)

    @Slot()
    def browse(self) -> None:
        path = qt.QFileDialog.getOpenFileName()
        if path:
            self.setCurrentPath(path)


class ctkDirectoryButton(qt.QPushButton):
    """A button that shows the chosen folder."""

    directoryChanged = Signal(str)

    def _set(self, directory: str) -> None:
        if directory != self.text:
            self.setText(directory)
            self.directoryChanged.emit(directory)

    directory = Property(str, lambda self: self.text, _set)


class ctkComboBox(qt.QComboBox):
    """A combo box with a text shown while nothing is chosen."""

    defaultText = Property(
        str, lambda self: qt.QComboBox.property(self, "placeholderText"), lambda self, v: self.setPlaceholderText(v)
    )
    scrollWheelEnabled = Property(bool, lambda self: False, lambda self, v: None)


class ctkCheckBox(qt.QCheckBox):
    """A check box."""
