"""Measurements along a line over time: line profile, M-mode, edge tracking, tables and pictures."""

from DynamicMRIReconLib.profiles.edges import EdgeTrack, track_edge
from DynamicMRIReconLib.profiles.line_profile import line_profile
from DynamicMRIReconLib.profiles.mmode import MMode

__all__ = ["EdgeTrack", "MMode", "line_profile", "track_edge"]
