"""Measured k-space over time, on a grid or along a trajectory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.checked_arrays import checked_array, checked_times
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry


@dataclass(frozen=True)
class KSpace:
    """Measured k-space over time, Cartesian or not.

    The Fourier transform is centred and orthonormal: ``s(k) = sum_r m(r) exp(-2 pi i k.r / N) / sqrt(prod N)`` with
    ``r = index - N // 2`` and ``k`` in cycles per field of view.

    Attributes
    ----------
    samples
        complex64. Cartesian ``(frames, coils, z, ky, kx)``, centred, zero where ``mask`` is 0; z is in image space.
        Non-Cartesian ``(frames, coils, shots, readout)``; several slices ``(frames, coils, z, shots, readout)``.
    affine
        (4, 4) of the image grid to be reconstructed, voxel index to RAS millimetres, determinant > 0.
    times_s
        (frames,) seconds, the middle of each frame's acquisition, strictly increasing.
    image_shape
        (z, y, x) of the image grid. Taken from the samples when Cartesian; when None otherwise, y and x (and z for a
        3-D trajectory) are the even sizes that hold the trajectory's largest k.
    trajectory
        float32 ``(frames, shots, readout, 2 or 3)`` in order kx, ky, kz, cycles per field of view in [-N/2, N/2]; with
        several slices optionally ``(frames, z, shots, readout, 2)``. None for Cartesian.
    mask
        bool ``(frames, z, ky, kx)`` for Cartesian; when None, wherever a coil has a sample other than zero.
    coil_maps
        complex64 ``(coils, z, y, x)`` or None (then estimated).
    density
        float32 density compensation weights, shape of ``trajectory`` without its last axis, or None (then computed).
    metadata
        JSON-able notes: ``warnings``, ``source``, ``prewhitened``...

    Raises
    ------
    InputError
        If any of these does not hold.
    """

    samples: NDArray[np.complex64]
    affine: NDArray[np.float64]
    times_s: NDArray[np.float64]
    image_shape: tuple[int, int, int] | None = None
    trajectory: NDArray[np.float32] | None = None
    mask: NDArray[np.bool_] | None = None
    coil_maps: NDArray[np.complex64] | None = None
    density: NDArray[np.float32] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.trajectory is None:
            samples = checked_array(self.samples, "k-space samples", np.complex64, (5,), "(frames, coils, z, ky, kx)")
            self._check_cartesian(samples)
        else:
            axes = "(frames, coils, shots, readout) or (frames, coils, z, shots, readout)"
            samples = checked_array(self.samples, "k-space samples", np.complex64, (4, 5), axes)
            self._check_trajectory(samples)
        if not any(samples[part].any() for part in spool.blocks(samples)):
            raise InputError("All k-space samples are zero: there is nothing to reconstruct.")
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "affine", Geometry(self.affine).affine)
        object.__setattr__(self, "times_s", checked_times(self.times_s, len(samples), "The k-space"))
        if self.coil_maps is not None:
            self._check_coil_maps(samples.shape[1])

    def _check_cartesian(self, samples: NDArray[np.complex64]) -> None:
        shape = (samples.shape[2], samples.shape[3], samples.shape[4])
        if self.image_shape is not None and tuple(self.image_shape) != shape:
            raise InputError(f"The image shape {tuple(self.image_shape)} differs from the Cartesian samples' {shape}.")
        if self.density is not None:
            raise InputError("Density weights belong to non-Cartesian k-space: give a trajectory with them.")
        object.__setattr__(self, "mask", self._checked_mask(samples, (len(samples), *shape)))
        object.__setattr__(self, "image_shape", shape)

    def _checked_mask(self, samples: NDArray[np.complex64], expected: tuple[int, ...]) -> NDArray[np.bool_]:
        if self.mask is None:
            return spool.mapped(_measured, samples, bool)
        mask = np.asarray(self.mask)
        if mask.shape != expected:
            raise InputError(f"The mask must have the axes (frames, z, ky, kx) = {expected}, not {mask.shape}.")
        if mask.dtype != bool:
            mask = spool.mapped(lambda block: block.astype(bool), mask, bool)
        if any((_measured(samples[part]) & ~mask[part]).any() for part in spool.blocks(samples)):
            raise InputError("k-space holds samples other than zero where the mask is 0: mask and data disagree.")
        return mask

    def _check_trajectory(self, samples: NDArray[np.complex64]) -> None:
        if self.mask is not None:
            raise InputError("A mask belongs to Cartesian k-space and a trajectory to non-Cartesian: give one of them.")
        axes = "(frames, shots, readout, 2 or 3) or (frames, z, shots, readout, 2)"
        trajectory = checked_array(self.trajectory, "The trajectory", np.float32, (4, 5), axes)
        if trajectory.shape[-1] not in (2, 3):
            raise InputError(f"The trajectory's last axis must be kx, ky (, kz); its shape is {trajectory.shape}.")
        per_slice = trajectory.ndim == 5
        wanted = (samples.shape[0], *(samples.shape[2:] if per_slice else samples.shape[-2:]))
        if trajectory.shape[:-1] != wanted or (per_slice and samples.ndim != 5):
            raise InputError(
                f"The trajectory's length does not match the samples': trajectory {trajectory.shape} but samples "
                f"{samples.shape}; frames, shots and readout must agree."
            )
        slices = samples.shape[2] if samples.ndim == 5 else 1
        if trajectory.shape[-1] == 3 and samples.ndim == 5:
            raise InputError(
                "A 3-D trajectory covers the whole volume: samples must be (frames, coils, shots, readout)."
            )
        shape = self.image_shape or _shape_from_trajectory(trajectory, slices)
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(f"The image shape must be three positive numbers (z, y, x), not {tuple(shape)}.")
        if trajectory.shape[-1] == 2 and shape[0] != slices:
            raise InputError(f"The image shape has {shape[0]} slices but the samples have {slices}.")
        reach = reach_of(trajectory)
        limits = np.array(shape[::-1][: trajectory.shape[-1]]) / 2
        if (reach > limits * 1.01 + 0.5).any():
            raise InputError(
                f"The trajectory reaches {reach.max():.1f} cycles per field of view but a matrix of "
                f"{limits[int(np.argmax(reach - limits))] * 2:g} holds only +-N/2: check its units or the matrix size."
            )
        if self.density is not None:
            density = checked_array(self.density, "Density weights", np.float32, (3, 4), "of the trajectory")
            if density.shape != trajectory.shape[:-1]:
                raise InputError(f"Density weights {density.shape} do not match the trajectory {trajectory.shape}.")
            if any((density[part] < 0).any() for part in spool.blocks(density)):
                raise InputError("Density weights must not be negative.")
            object.__setattr__(self, "density", density)
        object.__setattr__(self, "trajectory", trajectory)
        object.__setattr__(self, "image_shape", tuple(int(n) for n in shape))

    def _check_coil_maps(self, coils: int) -> None:
        maps = checked_array(self.coil_maps, "Coil sensitivity maps", np.complex64, (4,), "(coils, z, y, x)")
        if maps.shape != (coils, *self.matrix):
            raise InputError(
                f"Coil sensitivity maps must have the axes (coils, z, y, x) = {(coils, *self.matrix)}, "
                f"not {maps.shape}."
            )
        object.__setattr__(self, "coil_maps", maps)

    @property
    def matrix(self) -> tuple[int, int, int]:
        """Image shape (z, y, x); never None after construction."""
        assert self.image_shape is not None
        return self.image_shape

    @property
    def is_cartesian(self) -> bool:
        """True when the samples lie on the grid (a mask, no trajectory)."""
        return self.trajectory is None

    @property
    def geometry(self) -> Geometry:
        """The voxel grid of the image to be reconstructed."""
        return Geometry(self.affine)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.samples.shape[0])

    @property
    def coils(self) -> int:
        """Number of coils."""
        return int(self.samples.shape[1])

    @property
    def acceleration(self) -> float:
        """Undersampling: grid points over samples a frame (Cartesian), Nyquist spokes over shots (N / shots) else."""
        if self.mask is not None:
            return float(self.mask.size / max(1, int(self.mask.sum())))
        return float(max(self.matrix[1:]) / self.samples.shape[-2])

    def slices(self) -> Iterator[KSpace]:
        """Each slice as a k-space of its own; a 3-D trajectory gives itself."""
        if self.matrix[0] == 1 or (self.trajectory is not None and self.trajectory.shape[-1] == 3):
            yield self._without_slice_axis()
            return
        for k in range(self.matrix[0]):
            maps = None if self.coil_maps is None else self.coil_maps[:, k : k + 1]
            common: dict[str, Any] = {"affine": self.geometry.slice(k).affine, "coil_maps": maps}
            if self.mask is not None:
                part = self.samples[:, :, k : k + 1]
                yield replace(self, samples=part, mask=self.mask[:, k : k + 1], image_shape=None, **common)
                continue
            assert self.trajectory is not None
            yield replace(
                self,
                samples=self.samples[:, :, k],
                trajectory=self.trajectory[:, k] if self.trajectory.ndim == 5 else self.trajectory,
                density=self.density[:, k] if self.density is not None and self.density.ndim == 4 else self.density,
                image_shape=(1, *self.matrix[1:]),
                **common,
            )

    def _without_slice_axis(self) -> KSpace:
        """A single non-Cartesian slice stored with a z axis of one, without it."""
        if self.trajectory is None or self.samples.ndim == 4:
            return self
        trajectory = self.trajectory[:, 0] if self.trajectory.ndim == 5 else self.trajectory
        density = self.density[:, 0] if self.density is not None and self.density.ndim == 4 else self.density
        return replace(self, samples=self.samples[:, :, 0], trajectory=trajectory, density=density)


def _shape_from_trajectory(trajectory: NDArray[np.float32], slices: int) -> tuple[int, int, int]:
    reach = reach_of(trajectory)
    sizes = [max(1, 2 * int(np.ceil(float(r) - 1e-3))) for r in reach]
    return (sizes[2] if len(sizes) == 3 else slices, sizes[1], sizes[0])


def reach_of(trajectory: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2 or 3,) largest magnitude of each of the last axis' coordinates."""
    axes = tuple(range(trajectory.ndim - 1))
    return np.max([np.abs(trajectory[part]).max(axis=axes) for part in spool.blocks(trajectory)], axis=0)


def _measured(samples: NDArray[np.complex64]) -> NDArray[np.bool_]:
    """(frames, z, ky, kx) True where some coil has a sample other than zero."""
    return np.asarray((samples != 0).any(axis=1))
