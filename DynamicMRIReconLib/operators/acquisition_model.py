"""What the scanner did to the image: coil sensitivities, Fourier transform, sampling, for every frame."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.operators.base import Composition, LinearOperator, Shape
from DynamicMRIReconLib.operators.coils import CoilOperator
from DynamicMRIReconLib.operators.fourier import FourierOperator
from DynamicMRIReconLib.operators.frame_blocks import FrameBlocks
from DynamicMRIReconLib.operators.grid_gram import CoilGridGram, GridGram
from DynamicMRIReconLib.operators.mask import MaskOperator
from DynamicMRIReconLib.operators.nufft import NufftOperator
from DynamicMRIReconLib.operators.weights import WeightsOperator

#: coil images of about this many bytes exist at once: on the CPU so few that they stay in its cache, on other devices
#: enough to keep them busy
BLOCK_BYTES_ON_CPU, BLOCK_BYTES = 2 * 2**20, 64 * 2**20


class DropSliceAxis(LinearOperator):
    """(frames, coils, 1, y, x) -> (frames, coils, y, x)."""

    def __init__(self, image_shape: tuple[int, int]) -> None:
        self.domain_shape: Shape = (None, None, 1, *image_shape)
        self.range_shape: Shape = (None, None, *image_shape)

    def _forward(self, x: Tensor) -> Tensor:
        return x.squeeze(2)

    def _adjoint(self, y: Tensor) -> Tensor:
        return y.unsqueeze(2)


def acquisition_model(
    kspace: KSpace,
    coil_maps: NDArray[np.complex64] | Tensor,
    device: str | torch.device = "cpu",
    backend: str = "auto",
    *,
    frames: slice = slice(None),
    weights: NDArray[np.float32] | None = None,
) -> LinearOperator:
    """The operator from the image series to the samples of ``kspace``.

    Parameters
    ----------
    kspace
        one slice (from ``KSpace.slices()``), a 3-D trajectory, or Cartesian with any number of slices.
    coil_maps
        (coils, z, y, x) complex coil sensitivity maps.
    device
        torch device on which the operator works.
    backend
        NUFFT back end: ``auto``, ``finufft`` or ``torchkbnufft``.
    frames
        the frames of ``kspace`` to model.
    weights
        (frames of ``kspace``, shots, readout) or None. With weights w the operator is ``sqrt(w) A``, so that its gram
        is ``A^H w A``: multiply the samples by ``sqrt(w)`` too.

    Returns
    -------
    LinearOperator
        (frames, z, y, x) complex64 -> (frames, coils, z, ky, kx) or (frames, coils, shots, readout).

    Raises
    ------
    ValueError
        Several slices along a 2-D trajectory, weights with Cartesian k-space, or maps of another shape.
    """
    maps = torch.as_tensor(coil_maps, dtype=torch.complex64, device=device)
    if tuple(maps.shape) != (kspace.coils, *kspace.matrix):
        raise ValueError(f"Coil maps {tuple(maps.shape)} do not fit k-space of {(kspace.coils, *kspace.matrix)}.")
    coils = CoilOperator(maps)
    numbers = range(kspace.frames)[frames]
    block_bytes = BLOCK_BYTES_ON_CPU if maps.device.type == "cpu" else BLOCK_BYTES
    at_once = max(1, block_bytes // (8 * math.prod(maps.shape)))
    groups = [numbers[start : start + at_once] for start in range(0, len(numbers), at_once)]

    def block(frames: slice) -> LinearOperator:
        sampling = sampling_operator(kspace, frames, device, backend, weights)
        if kspace.mask is None:
            return sampling @ coils
        mask = torch.as_tensor(kspace.mask[frames], device=device)
        return Composition(sampling, coils, gram=lambda: CoilGridGram(mask, maps))

    blocks = [block(_as_slice(group)) for group in groups]
    return blocks[0] if len(blocks) == 1 else FrameBlocks(blocks, [len(group) for group in groups])


def _as_slice(numbers: range) -> slice:
    return slice(numbers.start, numbers.stop, numbers.step)


def sampling_operator(
    kspace: KSpace,
    frames: slice = slice(None),
    device: str | torch.device = "cpu",
    backend: str = "auto",
    weights: NDArray[np.float32] | None = None,
) -> LinearOperator:
    """The part of ``acquisition_model`` after the coils: coil images (frames, coils, z, y, x) to samples."""
    if kspace.mask is not None:
        if weights is not None:
            raise ValueError("Density weights belong to non-Cartesian k-space.")
        mask = torch.as_tensor(kspace.mask[frames], device=device)
        return Composition(MaskOperator(mask), FourierOperator(kspace.matrix[1:]), gram=lambda: GridGram(mask))
    assert kspace.trajectory is not None
    if kspace.samples.ndim != 4:
        raise ValueError("acquisition_model takes one slice of a 2-D trajectory: see KSpace.slices().")
    trajectory = torch.as_tensor(kspace.trajectory[frames], device=device)
    flat = trajectory.shape[-1] == 2
    transform = NufftOperator(trajectory, kspace.matrix[1:] if flat else kspace.matrix, backend=backend)
    sampling: LinearOperator = transform
    if weights is not None:
        chosen = torch.as_tensor(weights[frames], dtype=torch.float32, device=device)
        sampling = Composition(WeightsOperator(chosen.sqrt()), transform, gram=lambda: transform.weighted_gram(chosen))
    return sampling @ DropSliceAxis(kspace.matrix[1:]) if flat else sampling
