"""Changes to training images that keep them plausible: one draw for all frames of a sample."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

#: cosines along each axis of a random phase map: the phase changes over the image as coils and field make it change
PHASE_WAVES = 3


def flipped_and_turned(frames: Tensor, random: np.random.Generator) -> Tensor:
    """``frames`` (T, y, x) mirrored along x, along y, and turned by +90 or -90 degrees, each by chance.

    Only square frames are turned: a batch holds one shape.
    """
    for axis in (-1, -2):
        if random.random() < 0.5:
            frames = frames.flip(axis)
    turns = (0, 1, -1)[random.integers(3)]
    return torch.rot90(frames, turns, (-2, -1)) if frames.shape[-1] == frames.shape[-2] else frames


def random_phase(shape: tuple[int, int], random: np.random.Generator, strength: float = 1.0) -> Tensor:
    """(y, x) complex of magnitude 1 whose phase varies smoothly over the image, around any constant phase.

    The phase is a sum of cosines of up to ``PHASE_WAVES`` half periods along each axis with random weights that fall
    with their frequency; ``strength`` is its standard deviation in radians.
    """
    y, x = (np.cos(np.pi * np.arange(PHASE_WAVES + 1)[:, None] * (np.arange(n) + 0.5) / n) for n in shape)
    order = np.hypot(*np.indices((PHASE_WAVES + 1, PHASE_WAVES + 1)))
    weights = random.standard_normal(order.shape) / (1 + order)
    weights[0, 0] = 0
    phase = np.einsum("ij,iy,jx->yx", weights, y, x)
    phase *= strength / max(float(phase.std()), 1e-12)
    phase += random.uniform(-math.pi, math.pi)
    return torch.from_numpy(np.exp(1j * phase).astype(np.complex64))


def complex_noise(shape: tuple[int, ...], deviation: float, random: np.random.Generator) -> Tensor:
    """Complex Gaussian noise of standard deviation ``deviation`` in its real and in its imaginary part."""
    parts = deviation * random.standard_normal((2, *shape))
    return torch.from_numpy((parts[0] + 1j * parts[1]).astype(np.complex64))
