"""Measurements over time: line and curve profiles, M-mode, edge tracking, sharpness, regions, tables and pictures."""

from DynamicMRIReconLib.profiles.edges import EdgeTrack, track_edge
from DynamicMRIReconLib.profiles.kinematics import TurningPoint, turning_points
from DynamicMRIReconLib.profiles.line_profile import curve_profile, line_profile
from DynamicMRIReconLib.profiles.mmode import MMode
from DynamicMRIReconLib.profiles.region_curve import RegionCurve, box_mask, closed_curve_mask, region_curve
from DynamicMRIReconLib.profiles.sharpness import Sharpness, sharpness

__all__ = [
    "EdgeTrack",
    "MMode",
    "RegionCurve",
    "Sharpness",
    "TurningPoint",
    "box_mask",
    "closed_curve_mask",
    "curve_profile",
    "line_profile",
    "region_curve",
    "sharpness",
    "track_edge",
    "turning_points",
]
