"""NUFFT back end: finufft (CPU) or cufinufft (CUDA), differentiable through pytorch-finufft.

A. H. Barnett, J. Magland, L. af Klinteberg, SIAM J. Sci. Comput. 41 (2019) C479-C504, doi:10.1137/18M120885X.
"""

from __future__ import annotations

from typing import Any

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
        self._options: dict[str, Any] = {"eps": eps, "modeord": 0}

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """Type 2, all coils in one call."""
        kept = image.reshape(-1, *self._kept)
        samples: Tensor = self._functional.finufft_type2(points[self._axes], kept, isign=-1, **self._options)
        return samples

    def adjoint(self, points: Tensor, samples: Tensor) -> Tensor:
        """Type 1, all coils in one call."""
        image: Tensor = self._functional.finufft_type1(
            points[self._axes], samples.contiguous(), self._kept, isign=1, **self._options
        )
        return image.reshape(-1, *self._shape)
