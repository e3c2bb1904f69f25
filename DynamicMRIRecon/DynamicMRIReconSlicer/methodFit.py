"""Which methods fit the input that is chosen, and why others do not."""

from __future__ import annotations

from typing import Any

from DynamicMRIReconSlicer import sources
from DynamicMRIReconSlicer.inputSection import InputSection
from DynamicMRIReconSlicer.stacksSection import StacksSection
from DynamicMRIReconSlicer.translation import tr as _

_KINDS = {"kspace": "k-space", "series": _("an image series"), "stacks": _("two or more image stacks")}


class MethodFit:
    """Compares methods, as the method list describes them, with what the sections Input and Stacks hold."""

    def __init__(self, ui: Any, chosen: InputSection, stacks: StacksSection) -> None:
        self._ui = ui
        self._input = chosen
        self._stacks = stacks

    def usesStacks(self, method: dict[str, Any]) -> bool:
        """Whether a method takes the ticked stacks; a file that holds stacks is taken while none is ticked."""
        return method["input_kind"] == "stacks" and (self._input.kind() != "stacks" or bool(self._stacks.stacks()))

    def whyNot(self, method: dict[str, Any]) -> str | None:
        """Why a method cannot be used on this input; None when it can, or when there is no input yet."""
        needed, kind = method["input_kind"], self._input.kind()
        if self.usesStacks(method) and (kind is not None or self._stacks.stacks()):
            return self._stacks.problem()
        if kind is None:
            return None
        if kind != needed:
            if not self._input.canSimulate(needed):
                return _("{title} needs {needed}; this is {given}.").format(
                    title=method["title"], needed=_KINDS[needed], given=_KINDS.get(kind, kind)
                )
            if not self._ui.simulateGroup.property("checked"):
                return _(
                    "{title} needs {needed}; this is {given}. Tick the teaching box under Input to simulate an "
                    "acquisition, or pick another method."
                ).format(title=method["title"], needed=_KINDS[needed], given=_KINDS[kind])
            return None
        return self._libraryRefuses(method["key"])

    def inputName(self, method: dict[str, Any]) -> str:
        """What the result of a method is called after."""
        return sources.nameOf(self._stacks.fixed() if self.usesStacks(method) else self._input.source())

    def _libraryRefuses(self, key: str) -> str | None:
        """The library's own reason why this file does not fit a method, where a file has been looked into."""
        fits = (self._input.description or {}).get("methods", [])
        return next((str(one["why_not"]) for one in fits if one["key"] == key and one["why_not"]), None)
