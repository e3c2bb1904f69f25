"""The gram of a NUFFT as a convolution: two FFTs of twice the size, whatever the number of samples.

J. A. Fessler et al., IEEE Trans. Signal Process. 53 (2005) 3393-3402, doi:10.1109/TSP.2005.853152.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape
from DynamicMRIReconLib.operators.nufft import NufftOperator

#: above this many samples a voxel the convolution beats finufft on the CPU (docs/benchmarks-nufft.md)
SAMPLES_PER_VOXEL_ON_CPU = {2: 0.3, 3: 0.1}


def toeplitz_pays(nufft: NufftOperator) -> bool:
    """Whether the convolution is the faster gram for this shape, number of samples, back end and device.

    torchkbnufft spends several times the convolution's time on interpolation, and on a GPU the FFT is far quicker than
    spreading; finufft on the CPU loses only where samples are many for the image.
    """
    if nufft.backend == "torchkbnufft" or nufft.trajectory.device.type != "cpu":
        return True
    samples = math.prod(nufft.trajectory.shape[1:3])
    dimensions = len(nufft.image_shape)
    return samples > SAMPLES_PER_VOXEL_ON_CPU[dimensions] * math.prod(nufft.image_shape)


class ToeplitzGram(LinearOperator):
    """``F^H W F`` of a ``NufftOperator`` F on images (frames, coils, [z,] y, x), W diagonal or none. Self-adjoint.

    Parameters
    ----------
    nufft
        the transform; its back end computes the kernel.
    weights
        (frames, shots, readout) real weights W of the samples, or None for 1.
    """

    def __init__(self, nufft: NufftOperator, weights: Tensor | None = None) -> None:
        self.image_shape = nufft.image_shape
        self.domain_shape: Shape = nufft.domain_shape
        self.range_shape: Shape = nufft.domain_shape
        self.kernel = _kernel(nufft, weights)

    def _forward(self, x: Tensor) -> Tensor:
        # one frame at a time: the padded coil images of all frames together would take 2^d times the images' memory
        return torch.stack([self._convolve(image, kernel) for image, kernel in zip(x, self.kernel, strict=True)])

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def _convolve(self, image: Tensor, kernel: Tensor) -> Tensor:
        dims = tuple(range(-len(self.image_shape), 0))
        spectrum = torch.fft.fftn(image, s=tuple(kernel.shape), dim=dims) * kernel
        inside = (..., *(slice(size) for size in self.image_shape))
        return torch.fft.ifftn(spectrum, dim=dims)[inside]


def _kernel(nufft: NufftOperator, weights: Tensor | None) -> Tensor:
    """(frames, 2 z, 2 y, 2 x) real spectrum of ``h(d) = sum_k w exp(2 pi i k.d / N) / prod N``, d = -N..N-1.

    On the field of view twice as large the same k counts twice the cycles. h is Hermitian but for d = -N, which no
    pair of voxels is apart: the real part of the spectrum is exact.
    """
    frames, shots, readout = nufft.trajectory.shape[:3]
    double = tuple(2 * size for size in nufft.image_shape)
    wide = NufftOperator(nufft.trajectory.detach() * 2, double, backend=nufft.backend, eps=nufft.eps)
    if weights is None:
        weights = torch.ones(frames, shots, readout, device=nufft.trajectory.device)
    with torch.no_grad():
        response = wide.adjoint(weights[:, None].to(torch.complex64))[:, 0]
        dims = tuple(range(-len(double), 0))
        scale = nufft.scale**2 / wide.scale
        return torch.fft.fftn(torch.fft.ifftshift(response, dim=dims), dim=dims).real.contiguous() * scale
