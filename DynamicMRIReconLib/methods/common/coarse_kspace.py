"""Finer images that keep what was measured: the coarse images' part of k-space is theirs, the rest is the network's."""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.zero_filling import ZeroFilling

#: below it a magnitude, 1 where the image is bright, does not tell the sign of the image it was taken of
DARK = 0.04


class CoarseKSpace:
    """``x -> x + Z(c - Z^H x / scale^2)`` with zero-filling Z: what x says about the frequencies of c is replaced.

    Magnitudes are compared by magnitude, and the difference gets the sign of the image: hardly any below ``DARK``,
    where a ripple of either sign looks the same. The difference is interpolated as k-space has it, round the field of
    view. After the back-projection of M. Irani, S. Peleg, CVGIP 53 (1991) 231-239; one step is exact but for
    magnitudes, and for the highest frequency of an even number of voxels, of which half is replaced.

    Parameters
    ----------
    shape, scale
        (y, x) of the coarse images, and how many times finer the others are.
    brightest
        The largest of a series of magnitudes, which may have been cut off there: where a result is brighter it stays.
        None takes images with their signs.
    """

    def __init__(self, shape: tuple[int, int], scale: int, brightest: float | None = None) -> None:
        self._finer = ZeroFilling(shape, scale)
        self._brightest = brightest

    def __call__(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """(..., scale y, scale x) and (..., y, x), real, both in the same scale -> as ``fine``."""
        low = self._finer.adjoint(torch.complex(fine, torch.zeros_like(fine))) / self._finer.scale**2
        lacking = coarse - low
        if self._brightest is not None:
            size = low.abs()
            short = coarse - size
            short = torch.where(coarse >= self._brightest, short.clamp_min(0), short)
            lacking = short * low / size.clamp_min(DARK)
        found: Tensor = fine + self._finer(lacking).real
        return found
