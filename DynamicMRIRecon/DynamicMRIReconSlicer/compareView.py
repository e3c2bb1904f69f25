"""The methods' volumes side by side: linked views, one plane, one window and level."""

from __future__ import annotations

from typing import Any

import slicer

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import layout, methodList, provenance, results, sequences
from DynamicMRIReconSlicer.translation import tr as _

#: views at most
MOST = 6


def resultsOf(sequence: Any = None) -> list[Any]:
    """The newest result of each method on stacks, in the order of the methods; ``sequence`` is taken for its own."""
    newest: dict[str, Any] = {}
    for one in results.inScene():
        if provenance.takesStacks(one) and not one.GetAttribute(provenance.PART):
            newest[one.GetAttribute(provenance.METHOD)] = one
    if sequence is not None:
        newest[sequence.GetAttribute(provenance.METHOD)] = sequence
    return [newest[key] for key in methodList.titles("stacks") if key in newest]


def show(sequence: Any = None, fixed: Any = None) -> str:
    """Show the fixed stack and the newest results; gives a sentence that says what stands where.

    Results share their display, so that they keep the same window and level whatever the user does; the stack, whose
    brightness they have, is set to the same window.

    Raises
    ------
    InputError
        There is no result yet.
    """
    sequencesShown = resultsOf(sequence)
    if not sequencesShown:
        raise InputError(_("There is no volume made of stacks yet: reconstruct with one method or more, then compare."))
    if fixed is None:
        fixed = _fixedOf(sequencesShown[-1])
    sequencesShown = sequencesShown[: MOST - (fixed is not None)]
    proxies = [sequences.proxyOf(one) for one in sequencesShown]
    display = proxies[0].GetDisplayNode()
    for proxy in proxies[1:]:
        proxy.SetAndObserveDisplayNodeID(display.GetID())
    names = [_title(one) for one in sequencesShown]
    if fixed is not None:
        _sameWindow(fixed, display)
        proxies.insert(0, fixed)
        names.insert(0, _("{name} (fixed stack)").format(name=fixed.GetName()))
    layout.showCompared(proxies)
    missing = _missing(sequencesShown)
    told = [_("From left to right: {names}.").format(names=", ".join(names))]
    told += [_("Not made yet: {names}.").format(names=", ".join(missing))] if missing else []
    return " ".join(told)


def showStacks(nodes: list[Any]) -> None:
    """Show stacks cut by one plane, each with its own window: their brightness differs."""
    layout.showCompared(nodes[:MOST])


def _fixedOf(sequence: Any) -> Any:
    number = int(provenance.record(sequence).get("parameters", {}).get("fixed_stack") or 1)
    return sequence.GetNthNodeReference(provenance.INPUT, number - 1)


def _sameWindow(volume: Any, display: Any) -> None:
    if volume.GetDisplayNode() is None:
        volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevelMinMax(display.GetWindowLevelMin(), display.GetWindowLevelMax())


def _title(sequence: Any) -> str:
    return methodList.titles("stacks")[sequence.GetAttribute(provenance.METHOD)]


def _missing(shown: list[Any]) -> list[str]:
    there = {one.GetAttribute(provenance.METHOD) for one in shown}
    return [title for key, title in methodList.titles("stacks").items() if key not in there]


def isShown() -> bool:
    """Whether the views show compared volumes now."""
    manager = slicer.app.layoutManager()
    return manager is not None and layout.isCompared(manager.layoutLogic().GetLayoutNode().GetViewArrangement())
