"""Which method to try first for the data that are there, and why."""

from __future__ import annotations

from typing import Any

from DynamicMRIReconSlicer.translation import tr as _

#: up to this undersampling several coils alone give what is missing
_COILS_SUFFICE = 2.0
#: from this many frames on it pays to use what they have in common
_MANY_FRAMES = 6
#: a frame can be interpolated between so many
_LEAST_TO_INTERPOLATE = 2
#: N / shots at which spokes sample as densely as a grid
_DENSE_SPOKES = 0.64


def suggest(description: dict[str, Any] | None, methods: list[dict[str, Any]]) -> tuple[str, str] | None:
    """Key of a method and the reason in a sentence; None when nothing can be said.

    Parameters
    ----------
    description
        Of the input, as the command ``info`` gives it.
    methods
        Those to choose from, as ``methodList.methods`` gives them.
    """
    kind = (description or {}).get("kind")
    offered = [method["key"] for method in methods if method["input_kind"] == kind]
    if description is None or not offered:
        return None
    if kind == "stacks" and "irem" in offered:
        return "irem", _("It is the sharpest where it was measured; srr and bspline are quicker: compare them.")
    if kind == "series":
        for key, reason in _forSeries(description):
            if key in offered:
                return key, reason
        if "ifnet" in offered:
            return None
    if kind != "kspace":
        title = next(method["title"] for method in methods if method["key"] == offered[0])
        return offered[0], _("{title} works on what this input is.").format(title=title)
    for key, reason in _forKSpace(description):
        if key in offered:
            return key, reason
    return None


def _forSeries(description: dict[str, Any]) -> list[tuple[str, str]]:
    if int(description["frames"]) < _LEAST_TO_INTERPOLATE:
        return []
    found = []
    heart = description.get("heart")
    if heart and heart["scales"]:
        reason = _(
            "Something beats in it every {seconds:.2f} s, as a heart does, and the network of scale {scale} has seen "
            "such voxels and frame times."
        )
        found.append(("cardiac-vsr", reason.format(seconds=heart["beat_s"], scale=heart["scales"][0])))
    reason = _("Images need no reconstruction; this adds frames between them, which are marked as synthetic.")
    if heart and not heart["scales"]:
        reason += " " + _("A heart may beat in it, but the networks for that have seen other voxels or frame times.")
    return [*found, ("ifnet", reason)]


def _forKSpace(description: dict[str, Any]) -> list[tuple[str, str]]:
    factor, frames, coils = float(description["acceleration"]), int(description["frames"]), int(description["coils"])
    cartesian = description["sampling"] == "cartesian"
    if factor <= (1.05 if cartesian else _DENSE_SPOKES):
        return [("gridding", _("Every frame is fully sampled: it can be computed directly, within seconds."))]
    under = _("Undersampled {factor:.1f} times").format(factor=factor)
    some = _("{frames} frames").format(frames=frames) if frames > 1 else _("1 frame")
    parallel = (
        "cg-sense",
        _("{under} in {some} with {coils} coils: what the coils see differently fills the gaps.").format(
            under=under, some=some, coils=coils
        ),
    )
    if frames < _MANY_FRAMES or (factor <= _COILS_SUFFICE and coils > 1):
        return [parallel]
    shared = _("{under} over {some}: much of the missing is measured in neighbouring frames").format(
        under=under, some=some
    )
    if cartesian:
        return [
            (
                "low-rank-sparse",
                _("{shared}; a still background and sparse motion describe them.").format(shared=shared),
            ),
            parallel,
        ]
    return [
        ("grasp", _("{shared}, and the shots of each fall between those of the others.").format(shared=shared)),
        parallel,
    ]
