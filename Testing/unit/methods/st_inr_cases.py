"""What the tests of the neural representation have in common."""

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate

#: of either representation, small and quick
QUICK = {
    "motion": {"representation": "motion", "iterations": 3, "warm_start": "smooth"},
    "hash-grid": {"representation": "hash-grid", "epochs": 5, "table_size": 2**10, "hidden_width": 16},
}


def heart_scan():
    """Small k-space of a beating heart, and its truth."""
    values = {"matrix": 40, "frames": 8, "coils": 3, "shots": 5, "include_coil_maps": True}
    return simulate(phantoms.get("heart"), SimulationParameters(**values))


def psnr(series, truth):
    return dmr.evaluate(series, truth)["psnr_db"]["mean"]
