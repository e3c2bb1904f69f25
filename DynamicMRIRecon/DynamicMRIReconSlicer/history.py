"""The history of runs in a scene: what was done with which settings, how long it took, how good it was."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from DynamicMRIReconSlicer import methodList, provenance
from DynamicMRIReconSlicer.translation import tr as _


@dataclass(frozen=True)
class Row:
    """A run as a row of the table; what is not known is None.

    Attributes
    ----------
    name, settings
        Of the result; preset, or what differs from the standard preset.
    seconds
        What the run took.
    metrics
        ``psnr_db``, ``ssim`` and ``nrmse`` against the reference, where there was one; ``cardiac_psnr_db`` and
        ``cardiac_ssim`` of a heart; ``unexplained``, the part of the measured data that the result leaves unexplained.
    warnings
        What the user should know, for example that the data are outside what a trained model has seen.
    tip
        Everything, for the tool tip.
    """

    node: Any
    name: str
    method: str
    settings: str
    seconds: float | None
    metrics: dict[str, float]
    warnings: tuple[str, ...]
    tip: str


def entry(request: Any, record: dict[str, Any], event: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """What is kept of a run that ended with ``event`` (``done``) and gave ``warnings`` on the way."""
    parameters = record.get("parameters")
    metrics = event.get("metrics")
    known = (*provenance.METRICS, *provenance.CARDIAC_METRICS)
    told = {key: float(metrics[key]) for key in known if key in metrics} if metrics else {}
    if event.get("data_consistency") is not None:
        told["unexplained"] = float(event["data_consistency"])
    return {
        "method": request.method,
        "preset": request.preset,
        "parameters": parameters if isinstance(parameters, dict) else dict(request.parameters),
        "seconds": float(event.get("elapsed_s") or 0.0),
        "finished": time.strftime("%Y-%m-%d %H:%M:%S"),
        "metrics": told,
        "simulated": request.simulate is not None,
        "frames": request.frames,
        "warnings": warnings,
    }


def row(sequence: Any) -> Row:
    """The row of a result; also of one that was loaded from a file and knows less."""
    kept = _kept(sequence)
    part = sequence.GetAttribute(provenance.PART)
    method = str(kept.get("method") or sequence.GetAttribute(provenance.METHOD) or "")
    settings = settingsText(method, kept.get("parameters") or {})
    if part:
        settings = _("part {part}").format(part=part)
    else:
        settings += _(", simulated k-space") if kept.get("simulated") else ""
        settings += (
            _(", frames {first}-{last}").format(first=kept["frames"][0], last=kept["frames"][1] - 1)
            if kept.get("frames")
            else ""
        )
    seconds = kept.get("seconds")
    metrics = {} if part else dict(kept.get("metrics") or {})
    known = [f"{sequence.GetName()}: {sequence.GetAttribute(provenance.SUMMARY) or 'no details'}"]
    known += [f"{name} = {value}" for name, value in (kept.get("parameters") or {}).items()]
    if kept.get("finished"):
        known.append(_("finished {finished}").format(finished=kept["finished"]))
    # A result that was loaded from its file alone knows them from its record.
    warnings = tuple(map(str, kept.get("warnings") or provenance.record(sequence).get("warnings") or ()))
    known += [_("Warning: {warning}").format(warning=warning) for warning in warnings]
    return Row(
        sequence,
        sequence.GetName(),
        method,
        settings,
        None if seconds is None else float(seconds),
        {key: float(value) for key, value in metrics.items()},
        warnings,
        "\n".join(known),
    )


def settingsText(key: str, values: dict[str, Any]) -> str:
    """The preset that ``values`` are, else what differs from the standard preset."""
    method = methodList.find(key)
    if method is None:
        return ", ".join(f"{name}={_short(value)}" for name, value in values.items())
    # Several presets can be the same: then it is the standard one.
    for preset in ("standard", *methodList.presetNames(method)):
        if all(values.get(name, value) == value for name, value in methodList.presetValues(method, preset).items()):
            return preset
    standard = methodList.presetValues(method, "standard")
    changed = {name: value for name, value in values.items() if name not in standard or standard[name] != value}
    return ", ".join(f"{name}={_short(value)}" for name, value in changed.items())


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kept(sequence: Any) -> dict[str, Any]:
    try:
        kept = json.loads(sequence.GetAttribute(provenance.HISTORY) or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
