"""The result beside the reference that a job names."""

from __future__ import annotations

from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.reporting import Reporter


def compare(job: Job, series: ImageSeries, reference: ImageSeries | None, reporter: Reporter) -> dict[str, Any] | None:
    """What ``evaluation.evaluate`` gives; None without a reference.

    The result is good whether or not it can be compared: what cannot be had is a warning.
    """
    if reference is None:
        return None
    from DynamicMRIReconLib.evaluation import evaluate
    from DynamicMRIReconLib.evaluation.cardiac import figures_by_rule

    try:
        metrics: dict[str, Any] = evaluate(series, reference)
    except ReconError as error:
        reporter.warn(f"The result could not be compared with the reference: {error}")
        return None
    if job.cardiac is not None:
        result, truth = (np.asarray(one.magnitude().array, np.float32) for one in (series, reference))
        try:
            metrics["cardiac"] = figures_by_rule(result * np.float32(metrics["scale"]), truth, job.cardiac)
        except InputError as error:
            reporter.warn(str(error))
    return metrics


def means_of(metrics: dict[str, Any] | None) -> dict[str, float] | None:
    """The means of them, for the last event."""
    if metrics is None:
        return None
    from DynamicMRIReconLib.evaluation import means

    return means(metrics)
