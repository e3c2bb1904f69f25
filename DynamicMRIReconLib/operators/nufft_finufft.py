"""NUFFT back end: finufft (CPU) or cufinufft (CUDA), differentiable through pytorch-finufft.

Where no gradient is wanted on the CPU, finufft is called as it is: pytorch-finufft's checks and copies cost a tenth.

A. H. Barnett, J. Magland, L. af Klinteberg, SIAM J. Sci. Comput. 41 (2019) C479-C504, doi:10.1137/18M120885X.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class FinufftBackend:
    """See ``nufft.Backend``. ``modeord`` 0 keeps the zero position at index N // 2, as the convention has it."""

    def __init__(self, image_shape: tuple[int, ...], eps: float) -> None:
        from pytorch_finufft import functional

        self._functional = functional
        self._shape = image_shape
        # an axis of one voxel adds no phase, and pytorch-finufft 0.1.0 loses it in the gradient of the adjoint
        self._axes = [axis for axis, size in enumerate(image_shape) if size > 1] or [0]
        self._kept = tuple(image_shape[axis] for axis in self._axes)
        self._all_axes = len(self._axes) == len(image_shape)
        self._eps = eps

    def _options(self, points: Tensor) -> dict[str, Any]:
        """On the CPU as many threads as torch: two libraries with pools of their own else fight for the cores."""
        options: dict[str, Any] = {"eps": self._eps, "modeord": 0}
        return options if points.device.type == "cuda" else {**options, "nthreads": torch.get_num_threads()}

    def _kept_points(self, points: Tensor) -> Tensor:
        return points if self._all_axes else points[self._axes]

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """Type 2, all coils in one call."""
        kept = image.reshape(-1, *self._kept).contiguous()
        samples: Tensor = self._functional.finufft_type2(
            self._kept_points(points), kept, isign=-1, **self._options(points)
        )
        return samples

    def adjoint(self, points: Tensor, samples: Tensor) -> Tensor:
        """Type 1, all coils in one call."""
        image: Tensor = self._functional.finufft_type1(
            self._kept_points(points), samples.contiguous(), self._kept, isign=1, **self._options(points)
        )
        return image.reshape(-1, *self._shape)

    def forward_into(self, points: Tensor, image: Tensor, out: Tensor) -> None:
        """Type 2 into ``out``; on the CPU finufft writes there by itself."""
        if out.device.type != "cpu":
            out.copy_(self.forward(points, image))
            return
        self._call(2, points, image.reshape(-1, *self._kept), out, isign=-1)

    def adjoint_into(self, points: Tensor, samples: Tensor, out: Tensor) -> None:
        """Type 1 into ``out``; on the CPU finufft writes there by itself."""
        if out.device.type != "cpu":
            out.copy_(self.adjoint(points, samples))
            return
        self._call(1, points, samples, out.view(-1, *self._kept), isign=1)

    def _call(self, kind: int, points: Tensor, values: Tensor, out: Tensor, isign: int) -> None:
        import finufft

        transform = getattr(finufft, f"nufft{len(self._kept)}d{kind}")
        places = [_as_numpy(axis) for axis in self._kept_points(points)]
        transform(*places, _as_numpy(values), out=out.numpy(), isign=isign, **self._options(points))


def _as_numpy(values: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(values.detach().resolve_conj().resolve_neg().numpy())
