"""The scans that methods are compared on: simulated without inverse crime, the true coil maps given to everyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.io import bart, bart_files

NOISE = 0.01


@dataclass(frozen=True)
class Setting:
    """One scan. ``scan`` are simulation parameters, ``quick`` those that make it small."""

    name: str
    title: str
    phantom: str
    scan: Mapping[str, Any]
    quick: Mapping[str, Any]

    @property
    def cartesian(self) -> bool:
        """Whether it is sampled on the grid."""
        return bool(self.scan["trajectory"] == "cartesian")


def _radial(spokes: int) -> Setting:
    return Setting(
        f"heart-{spokes}",
        f"beating heart, 208 x 208, 18 frames, 8 coils, {spokes} golden-angle spokes a frame",
        "heart",
        {"trajectory": "radial", "matrix": 208, "frames": 18, "shots": spokes},
        {"matrix": 48, "frames": 8},
    )


def _cartesian(acceleration: int) -> Setting:
    return Setting(
        f"cartesian-{acceleration}",
        f"beating heart, 128 x 128, 18 frames, 8 coils, Cartesian k-t mask, R = {acceleration}",
        "heart",
        {"trajectory": "cartesian", "matrix": 128, "frames": 18, "acceleration": acceleration},
        {"matrix": 64, "frames": 8},
    )


_SPIRAL = Setting(
    "spiral",
    "speaking vocal tract, 84 x 84, 20 frames, 8 coils, 6 arms a frame of 13-arm spirals",
    "vocal-tract",
    # the 13-arm spiral of 6 ms repetition: a frame of 6 arms lasts 36 ms
    {"trajectory": "spiral", "matrix": 84, "frames": 20, "shots": 6, "tr_s": 0.006004},
    {"frames": 8},
)

#: in the order of what they decide
SETTINGS = {
    setting.name: setting
    for setting in (_radial(13), _radial(5), _cartesian(8), _SPIRAL, _cartesian(4), _radial(8), _radial(21))
}


def scan_files(setting: Setting, folder: Path, quick: bool) -> Path:
    """The folder with ``scan.npz``, ``truth.npz`` and BART's ``scan.cfl``, ``maps.cfl``, written if not there yet."""
    place = folder / (f"{setting.name}-quick" if quick else setting.name)
    if (place / "maps.cfl").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    values = {**setting.scan, **(setting.quick if quick else {}), "noise": NOISE, "include_coil_maps": True}
    kspace, truth = simulate(phantoms.get(setting.phantom), SimulationParameters(**values))
    dmr.write(place / "scan.npz", kspace)
    dmr.write(place / "truth.npz", truth)
    bart.write(place / "scan.cfl", kspace)
    assert kspace.coil_maps is not None
    # BART's axes are x, y, z, coils
    bart_files.save_cfl(place / "maps.cfl", kspace.coil_maps.transpose(3, 2, 1, 0))
    return place
