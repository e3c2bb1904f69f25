"""The figures of line profiles in sentences."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib.profiles import RegionCurve, sharpness
from DynamicMRIReconSlicer.profileMarks import NAMES, TURN
from DynamicMRIReconSlicer.profileNodes import MARKS, ProfileNodes
from DynamicMRIReconSlicer.translation import tr as _

_MOST_TURNS = 4
#: what edges and the marks of turning points are called in the panel
EDGE_TEXTS = {"either": _("the strongest"), "rising": _("dark to bright"), "falling": _("bright to dark")}
MARK_TEXTS = {
    "turns": "turning points",
    "diastole": _("furthest: end diastole"),
    "systole": _("furthest: end systole"),
    "speech": _("speech: opening, constriction"),
}


def summary(nodes: ProfileNodes) -> str:
    """The figures of one profile; turning points by the names that they have."""
    mmode = nodes.mmode
    length, frames = float(mmode.positions_mm[-1]), len(mmode.times_s)
    edges = mmode.edges_mm[np.isfinite(mmode.edges_mm)]
    text = _("Line of {length:.1f} mm over {frames} frames, {duration:.3f} s.").format(
        length=length, frames=frames, duration=mmode.times_s[-1] - mmode.times_s[0]
    )
    if not edges.size:
        return _("{text} No edge was found along it.").format(text=text)
    low, high = edges.min(), edges.max()
    text += _(" The edge moves {range:.1f} mm (between {low:.1f} and {high:.1f} mm)").format(
        range=high - low, low=low, high=high
    )
    for values, unit in ((mmode.velocity_mm_per_s, "mm/s"), (mmode.acceleration_mm_per_s2, "mm/s\u00b2")):
        most = np.abs(values[np.isfinite(values)]).max(initial=0.0)
        text += f", at most {most:.{1 if most < 1000 else 0}f} {unit}" if most else ""
    text += "."
    turns = mmode.turning_points
    if turns:
        furthest, nearest = NAMES.get(nodes.volume.GetAttribute(MARKS), NAMES["turns"])
        told = []
        for turn in turns[:_MOST_TURNS]:
            name = furthest if turn.kind == "furthest" else nearest
            told.append(
                _("{name}{time_s:.3f} s ({edge_mm:.1f} mm)").format(
                    name="" if name == TURN else name + " ", time_s=turn.time_s, edge_mm=turn.edge_mm
                )
            )
        text += _(" It turns at {times}{more}.").format(
            times=", ".join(told), more=" ..." if len(turns) > _MOST_TURNS else ""
        )
    uncertain = mmode.edge_deviation_mm[np.isfinite(mmode.edge_deviation_mm)]
    if uncertain.size:
        text += _(" The method gives the edge a standard deviation of {deviation:.2f} mm (median).").format(
            deviation=np.median(uncertain)
        )
    sharp = sharpness(mmode)
    if np.isfinite(sharp.width_mm):
        text += _(" Edge width (10-90 %) {width_mm:.1f} mm").format(width_mm=sharp.width_mm)
        text += (
            _(", rise time {time_ms:.0f} ms.").format(time_ms=1000 * sharp.rise_time_s)
            if np.isfinite(sharp.rise_time_s)
            else "."
        )
    if mmode.synthetic.any():
        text += _(" {count} synthetic frames are hatched and do not count.").format(count=int(mmode.synthetic.sum()))
    return text


def comparison(profiles: list[tuple[str, ProfileNodes]]) -> str:
    """Several profiles, a line each, to be compared."""
    return "\n".join(f"{name}: {summary(nodes)}" for name, nodes in profiles)


def region(name: str, curve: RegionCurve) -> str:
    """The figures of a region's curve."""
    measured = curve.mean[~curve.synthetic]
    measured = measured if measured.size else curve.mean
    return _("{name}: {voxels} voxels ({volume_ml:.2f} ml), mean brightness {lowest:.4g} to {highest:.4g}.").format(
        name=name, voxels=curve.voxels, volume_ml=curve.volume_mm3 / 1000, lowest=measured.min(), highest=measured.max()
    )
