"""Message boxes that are written down instead of shown, and answered as the test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Dialog:
    """One message the user would have seen."""

    kind: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


class Dialogs:
    """Replaces the message functions of ``slicer.util``. ``answers`` are used first, then ``default_answer``."""

    def __init__(self) -> None:
        self.shown: list[Dialog] = []
        self.answers: list[bool] = []
        self.default_answer = True

    def clear(self) -> None:
        self.shown.clear()
        self.answers.clear()
        self.default_answer = True

    def of_kind(self, *kinds: str) -> list[Dialog]:
        return [dialog for dialog in self.shown if dialog.kind in kinds]

    def _tell(self, kind: str) -> Any:
        def show(text: str, *_args: Any, **details: Any) -> None:
            self.shown.append(Dialog(kind, str(text), details))

        return show

    def ask(self, kind: str, text: str, **details: Any) -> bool:
        self.shown.append(Dialog(kind, str(text), details))
        return self.answers.pop(0) if self.answers else self.default_answer

    def _question(self, kind: str) -> Any:
        def ask(text: str, *_args: Any, **details: Any) -> bool:
            return self.ask(kind, text, **details)

        return ask

    def install(self, util: Any) -> None:
        util.errorDisplay = self._tell("error")
        util.warningDisplay = self._tell("warning")
        util.infoDisplay = self._tell("info")
        util.delayDisplay = self._tell("delay")
        util.messageBox = self._question("messageBox")
        util.confirmOkCancelDisplay = self._question("confirm")
        util.confirmYesNoDisplay = self._question("confirm")
        util.confirmRetryCloseDisplay = self._question("confirm")
        util.showStatusMessage = self._tell("status")
        util.pip_install = self._refuse_pip
        util.pip_uninstall = self._refuse_pip

    def _refuse_pip(self, requirements: Any, **details: Any) -> None:
        self.shown.append(Dialog("pip", str(requirements), details))
        raise RuntimeError(f"The test host installs nothing: {requirements}")
