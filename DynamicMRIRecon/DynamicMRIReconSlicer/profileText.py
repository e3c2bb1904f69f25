"""The figures of line profiles in sentences."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib.profiles import RegionCurve, sharpness
from DynamicMRIReconSlicer.profileMarks import NAMES, TURN
from DynamicMRIReconSlicer.profileNodes import MARKS, ProfileNodes

_MOST_TURNS = 4


def summary(nodes: ProfileNodes) -> str:
    """The figures of one profile; turning points by the names that they have."""
    mmode = nodes.mmode
    length, frames = float(mmode.positions_mm[-1]), len(mmode.times_s)
    edges = mmode.edges_mm[np.isfinite(mmode.edges_mm)]
    text = f"Line of {length:.1f} mm over {frames} frames, {mmode.times_s[-1] - mmode.times_s[0]:.3f} s."
    if not edges.size:
        return f"{text} No edge was found along it."
    low, high = edges.min(), edges.max()
    text += f" The edge moves {high - low:.1f} mm (between {low:.1f} and {high:.1f} mm)"
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
            told.append(f"{'' if name == TURN else name + ' '}{turn.time_s:.3f} s ({turn.edge_mm:.1f} mm)")
        text += f" It turns at {', '.join(told)}{' ...' if len(turns) > _MOST_TURNS else ''}."
    uncertain = mmode.edge_deviation_mm[np.isfinite(mmode.edge_deviation_mm)]
    if uncertain.size:
        text += f" The method gives the edge a standard deviation of {np.median(uncertain):.2f} mm (median)."
    sharp = sharpness(mmode)
    if np.isfinite(sharp.width_mm):
        text += f" Edge width (10-90 %) {sharp.width_mm:.1f} mm"
        text += f", rise time {1000 * sharp.rise_time_s:.0f} ms." if np.isfinite(sharp.rise_time_s) else "."
    if mmode.synthetic.any():
        text += f" {int(mmode.synthetic.sum())} synthetic frames are hatched and do not count."
    return text


def comparison(profiles: list[tuple[str, ProfileNodes]]) -> str:
    """Several profiles, a line each, to be compared."""
    return "\n".join(f"{name}: {summary(nodes)}" for name, nodes in profiles)


def region(name: str, curve: RegionCurve) -> str:
    """The figures of a region's curve."""
    measured = curve.mean[~curve.synthetic]
    measured = measured if measured.size else curve.mean
    return (
        f"{name}: {curve.voxels} voxels ({curve.volume_mm3 / 1000:.2f} ml), mean brightness "
        f"{measured.min():.4g} to {measured.max():.4g}."
    )
