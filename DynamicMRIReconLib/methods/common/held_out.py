"""Some samples are not fitted but foretold: what a fit says of them shows when it begins to learn noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from DynamicMRIReconLib.data import KSpace

if TYPE_CHECKING:
    from torch import Tensor

    from DynamicMRIReconLib.operators.base import LinearOperator


@dataclass(frozen=True)
class HeldOut:
    """The samples held out of a fit.

    Attributes
    ----------
    model
        of all samples.
    samples, where
        the samples (frames, coils, ...), and 1 where they are held out, broadcastable to them.
    patience
        checks without a better prediction after which a fit stops.
    """

    model: LinearOperator
    samples: Tensor
    where: Tensor
    patience: int

    def miss(self, series: Tensor) -> float:
        """``|A x - y| / |y|`` over the samples held out."""
        wrong = (self.model.forward(series) - self.samples) * self.where
        return float(wrong.norm() / (self.samples * self.where).norm().clamp_min(1e-30))


def held_out_samples(kspace: KSpace, part: float, seed: int) -> np.ndarray:
    """Bool mask of about ``part`` of the samples, the same for all coils: (frames, shots, readout), or for Cartesian
    k-space whole lines (frames, z, ky, kx), the middle of k-space excepted.

    A frame with fewer than two shots or lines keeps them all.
    """
    generator = np.random.default_rng(seed)
    if kspace.mask is None:
        chosen: np.ndarray = generator.random((kspace.frames, *kspace.samples.shape[-2:])) < part
        return chosen
    lines = kspace.mask.any(axis=-1)
    count, size = lines.sum(axis=-1, keepdims=True), lines.shape[-1]
    away = np.abs(np.arange(size) - size // 2) > size // 16
    picked = lines & away & (count > 1) & (generator.random(lines.shape) < part)
    return picked[..., None] & kspace.mask


def without(kspace: KSpace, held: np.ndarray) -> tuple[KSpace, np.ndarray | None]:
    """``kspace`` less the samples held out, and for non-Cartesian k-space the weights (0 or 1) of its samples."""
    if kspace.mask is None:
        return kspace, (~held).astype(np.float32)
    kept = kspace.mask & ~held
    return replace(kspace, mask=kept, samples=kspace.samples * kept[:, None]), None
