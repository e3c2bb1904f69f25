"""The Fourier transform at any k (NUFFT), the same sum as ``fourier.py`` states, over interchangeable back ends."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.operators.base import LinearOperator, Shape

BACKENDS = ("finufft", "torchkbnufft")
ENVIRONMENT_VARIABLE = "DYNAMIC_MRI_RECON_NUFFT"


class Backend(Protocol):
    """What a back end computes: plain sums without normalisation, one frame at a time.

    ``points``: (d, samples) real, radians per voxel, in the order of the image's axes (z,) y, x. The methods with
    ``into`` write to contiguous memory that is there already, and are not differentiable.
    """

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """(coils, [z,] y, x) -> (coils, samples): ``sum_r m(r) exp(-i points.r)``."""

    def adjoint(self, points: Tensor, samples: Tensor) -> Tensor:
        """(coils, samples) -> (coils, [z,] y, x): ``sum_k s(k) exp(+i points.r)``."""

    def forward_into(self, points: Tensor, image: Tensor, out: Tensor) -> None:
        """``forward``, written to ``out`` (coils, samples)."""

    def adjoint_into(self, points: Tensor, samples: Tensor, out: Tensor) -> None:
        """``adjoint``, written to ``out`` (coils, [z,] y, x)."""


def available_backends(device: str | torch.device = "cpu") -> tuple[str, ...]:
    """The back ends that can run on ``device`` here, the preferred one first."""
    kind = torch.device(device).type
    engine = {"cpu": "finufft", "cuda": "cufinufft"}.get(kind)
    # pytorch_finufft serves both devices and needs the engine of the device at hand
    with_finufft = engine is not None and _installed(engine) and _installed("pytorch_finufft")
    found = ["finufft"] if with_finufft else []
    if _installed("torchkbnufft"):
        found.append("torchkbnufft")
    return tuple(found)


def choose_backend(backend: str = "auto", device: str | torch.device = "cpu") -> str:
    """The back end to use: the argument, else the environment variable DYNAMIC_MRI_RECON_NUFFT, else the fastest.

    Raises
    ------
    InputError
        If the name is unknown, or that back end is not installed or cannot run on ``device``.
    """
    asked, said_by = backend, "was asked for"
    if backend == "auto":
        asked = os.environ.get(ENVIRONMENT_VARIABLE, "").strip().lower() or "auto"
        said_by = f"is named by the environment variable {ENVIRONMENT_VARIABLE}"
    if asked not in ("auto", *BACKENDS):
        raise InputError(f"There is no NUFFT back end {asked!r} ({said_by}): use auto, {' or '.join(BACKENDS)}.")
    found = available_backends(device)
    if asked == "auto" and found:
        return found[0]
    if asked in found:
        return asked
    what = "No NUFFT back end" if asked == "auto" else f"The NUFFT back end {asked} {said_by} but"
    have = f"use {found[0]}" if found else "install pytorch-finufft with finufft, or torchkbnufft"
    raise InputError(f"{what} {'can run' if asked == 'auto' else 'cannot run'} on device {device} here: {have}.")


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


class NufftOperator(LinearOperator):
    """Images (frames, coils, [z,] y, x) to samples (frames, coils, shots, readout) along a trajectory of each frame.

    Parameters
    ----------
    trajectory
        (frames, shots, readout, 2 or 3) real, kx, ky (, kz), cycles per field of view. Its device is the operator's.
    image_shape
        (y, x) for a 2-D trajectory, (z, y, x) for a 3-D one.
    backend
        ``auto``, ``finufft`` (finufft on the CPU, cufinufft on CUDA) or ``torchkbnufft``; see ``choose_backend``.
    eps
        relative accuracy asked of finufft; None is 1e-4 in 2-D and 1e-5 in 3-D. 1e-4 lets it use its small
        oversampling (1.25), several times faster than 2; in 3-D, where samples crowd at the centre of k-space, the
        adjoint then misses by 1e-3.

    Raises
    ------
    ValueError
        If trajectory and image shape do not go together.
    InputError
        If the back end is not there.
    """

    def __init__(
        self, trajectory: Tensor, image_shape: tuple[int, ...], *, backend: str = "auto", eps: float | None = None
    ) -> None:
        dimensions = trajectory.shape[-1]
        if trajectory.ndim != 4 or dimensions not in (2, 3) or dimensions != len(image_shape):
            raise ValueError(
                "NufftOperator takes a trajectory (frames, shots, readout, d) and an image shape of d = 2 or 3 sizes, "
                f"not {tuple(trajectory.shape)} and {tuple(image_shape)}."
            )
        self.trajectory = trajectory
        self.image_shape = tuple(int(size) for size in image_shape)
        self.backend = choose_backend(backend, trajectory.device)
        self.eps = (1e-4 if dimensions == 2 else 1e-5) if eps is None else eps
        self.scale = 1 / math.sqrt(math.prod(self.image_shape))
        frames, shots, readout = trajectory.shape[:3]
        self.domain_shape: Shape = (frames, None, *self.image_shape)
        self.range_shape: Shape = (frames, None, shots, readout)
        self._toeplitz: LinearOperator | None = None
        self._engine = _engine(self.backend, self.image_shape, self.eps, trajectory.device)

    def points(self, like: Tensor) -> Tensor:
        """(frames, d, samples) radians per voxel, in the order of the image's axes, in the precision of ``like``."""
        sizes = torch.tensor(self.image_shape[::-1], dtype=torch.float64, device="cpu")
        per_cycle = (2 * math.pi / sizes).to(dtype=like.real.dtype, device=self.trajectory.device)
        radians = (self.trajectory.to(like.real.dtype) * per_cycle).flip(-1)
        return radians.flatten(1, 2).movedim(-1, 1).contiguous()

    def _forward(self, x: Tensor) -> Tensor:
        points = self.points(x)
        if self._differentiated(points, x):
            samples = _stacked(self._engine.forward, points, x) * self.scale
        else:
            samples = x.new_empty((*x.shape[:2], points.shape[-1]))
            for frame, out in enumerate(samples):
                self._engine.forward_into(points[frame], x[frame], out)
                out.mul_(self.scale)
        return samples.unflatten(-1, tuple(self.trajectory.shape[1:3]))

    def _adjoint(self, y: Tensor) -> Tensor:
        points, samples = self.points(y), y.flatten(-2) * self.scale
        if self._differentiated(points, y):
            return _stacked(self._engine.adjoint, points, samples)
        images = y.new_empty((*y.shape[:2], *self.image_shape))
        for frame, out in enumerate(images):
            self._engine.adjoint_into(points[frame], samples[frame], out)
        return images

    @staticmethod
    def _differentiated(points: Tensor, values: Tensor) -> bool:
        return torch.is_grad_enabled() and (points.requires_grad or values.requires_grad)

    def _gram(self, x: Tensor) -> Tensor:
        return self.weighted_gram().forward(x)

    def weighted_gram(self, weights: Tensor | None = None) -> LinearOperator:
        """``F^H W F`` as an operator: a convolution (Toeplitz) where that is faster, else forward and adjoint.

        ``weights``: (frames, shots, readout) real, or None for 1. Build it once and use it many times.
        """
        from DynamicMRIReconLib.operators.toeplitz import ToeplitzGram, toeplitz_pays

        if self.trajectory.requires_grad or not toeplitz_pays(self):
            return WeightedGram(self, weights)
        if weights is not None:
            return ToeplitzGram(self, weights)
        if self._toeplitz is None:
            self._toeplitz = ToeplitzGram(self)
        return self._toeplitz


class WeightedGram(LinearOperator):
    """``F^H W F`` by forward, weights and adjoint. Self-adjoint."""

    def __init__(self, nufft: NufftOperator, weights: Tensor | None) -> None:
        self.nufft, self.weights = nufft, weights
        self.domain_shape: Shape = nufft.domain_shape
        self.range_shape: Shape = nufft.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        samples = self.nufft.forward(x)
        return self.nufft.adjoint(samples if self.weights is None else samples * self.weights[:, None])

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)


def _stacked(transform: Callable[[Tensor, Tensor], Tensor], points: Tensor, values: Tensor) -> Tensor:
    return torch.stack([transform(p, v) for p, v in zip(points, values, strict=True)])


def _engine(backend: str, image_shape: tuple[int, ...], eps: float, device: torch.device) -> Backend:
    if backend == "finufft":
        from DynamicMRIReconLib.operators.nufft_finufft import FinufftBackend

        return FinufftBackend(image_shape, eps)
    from DynamicMRIReconLib.operators.nufft_torchkbnufft import TorchkbnufftBackend

    return TorchkbnufftBackend(image_shape, device)
