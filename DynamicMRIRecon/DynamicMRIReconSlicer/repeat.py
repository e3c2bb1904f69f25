"""What was asked for when a result was made, put back into the panel's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconSlicer import methodList, provenance
from DynamicMRIReconSlicer.sceneSettings import SceneSettings


def intoSettings(sequence: Any, source: Any, settings: SceneSettings) -> None:
    """Set everything that the panel shows to what ``sequence`` was made with, from ``source`` (a node, a path, or
    a list of stacks).

    Raises
    ------
    InputError
        The sequence does not say how it was made.
    """
    asked = provenance.request(sequence)
    method = str(asked["method"])
    description = methodList.find(method)
    values = dict(asked["parameters"])
    if description is not None:
        values = {**methodList.presetValues(description, str(asked["preset"])), **values}
    isPath = isinstance(source, Path)
    if isinstance(source, list):
        settings.setNodes("Stacks", source)
        settings.setNode("FixedStack", source[int(values.get("fixed_stack") or 1) - 1])
    else:
        settings.setNode("Input", None if isPath else source)
        settings.set("InputPath", str(source) if isPath else "")
    read = asked["read"]
    axes = read.get("axes") or ""
    settings.set("Axes", axes if isinstance(axes, str) else ",".join(axes))
    settings.set("FramesFrom", read.get("frames_from"))
    settings.set("ShotsPerFrame", int(read.get("shots_per_frame") or 0))
    settings.set("PixelSize", float(read.get("pixel_size_mm") or 0.0))
    settings.set("Simulation", {"on": asked["simulate"] is not None, **(asked["simulate"] or {})})
    settings.set("Method", method)
    settings.set("MethodChosen", True)
    settings.set(f"Parameters.{method}", values)
    reference = provenance.referenceOf(sequence)
    settings.setNode("Reference", None if isinstance(reference, Path) else reference)
    settings.set("ReferencePath", str(reference) if isinstance(reference, Path) else "")
    settings.set("Device", asked["device"])
    settings.set("Seed", int(asked["seed"]))
