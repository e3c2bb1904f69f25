"""Several fits, each without another part of the samples: where they disagree, the samples do not decide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Context

if TYPE_CHECKING:
    from DynamicMRIReconLib.methods.common.field_fit import Fitted
    from DynamicMRIReconLib.methods.st_inr import StInrParameters

#: each fit of an ensemble leaves out at least this part of the samples: a few would make all fits alike
LEFT_OUT = 0.2


def fit_ensemble(kspace: KSpace, parameters: StInrParameters, context: Context) -> Iterator[Fitted]:
    """``parameters.ensemble`` fits of one slice with density weights, one after the other."""
    from DynamicMRIReconLib.methods.common.field_fit import fit

    parameters = parameters.model_copy(update={"held_out": max(parameters.held_out, LEFT_OUT)})
    for index in range(parameters.ensemble):
        part = context.part(index, parameters.ensemble)
        # the figures of a run are those of one fit
        figures = part.figures if index == 0 else {}
        yield fit(kspace, parameters, replace(part, seed=context.seed + index, figures=figures))


def with_deviation(fits: Iterable[Fitted], numbers: NDArray[np.float64]) -> NDArray[Any]:
    """(2, frames, 1, y, x): the mean of all fits at the frame numbers, and its standard deviation.

    Raises
    ------
    InputError
        If no sample could be left out, so that all fits are alike.
    """
    series, left_out = [], 0.0
    for field in fits:
        series.append(field.series(numbers))
        left_out = field.left_out
    if left_out == 0:
        raise InputError("An ensemble leaves samples out, and this scan has none to spare: set ensemble to 1.")
    return np.stack(mean_and_deviation(series, left_out))


def mean_and_deviation(series: Sequence[NDArray[Any]], left_out: float) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """The mean of series fitted without a random part ``left_out`` of the samples, and its standard deviation.

    The jackknife that deletes many: what fits scatter by, times the root of ``(1 - left_out) / left_out``, is how far
    a fit to all samples would move were the scan repeated. B. Efron, C. Stein, Ann. Stat. 9 (1981) 586-596,
    doi:10.1214/aos/1176345462; J. Shao, C. F. J. Wu, Ann. Stat. 17 (1989) 1176-1197, doi:10.1214/aos/1176347263. What
    all fits share, such as motion that the penalties smooth away, it does not see.

    Parameters
    ----------
    series
        two or more, (frames, z, y, x) each.
    left_out
        0 < left_out < 1.

    Returns
    -------
    tuple
        the mean as it is, complex or not, and (frames, z, y, x) standard deviations of the magnitudes.
    """
    mean: NDArray[Any] = np.mean(series, axis=0, dtype=series[0].dtype)
    scatter = np.std([np.abs(one) for one in series], axis=0, ddof=1)
    return mean, (scatter * math.sqrt((1 - left_out) / left_out)).astype(np.float32)
