"""What the tests of the neural representation have in common."""

import DynamicMRIReconLib as dmr

#: of either representation, small and quick
QUICK = {
    "motion": {"representation": "motion", "iterations": 3, "warm_start": "smooth"},
    "hash-grid": {"representation": "hash-grid", "epochs": 5, "table_size": 2**10, "hidden_width": 16},
}


def psnr(series, truth):
    return dmr.evaluate(series, truth)["psnr_db"]["mean"]
