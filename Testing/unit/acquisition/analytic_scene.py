"""Discs whose Fourier transform is known exactly, as a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j1

from DynamicMRIReconLib.geometry import Geometry

FOV_MM = 200.0
CENTRE_RAS_MM = (11.0, -7.0, 31.0)


class DiscScene:
    """A still disc of value 1 in the middle and a marker of value 2 at +x, beside +y; both with soft edges.

    Positions are fractions of the field of view from index N // 2. The softness is a Gaussian, exact in both domains.
    ``growth_per_s`` makes everything brighter with time, which is the only motion and the same in both domains.
    """

    title = "Discs"
    duration_s = 1.0
    discs = ((0.0, 0.0, 0.22, 1.0), (0.31, 0.12, 0.05, 2.0))

    def __init__(self, growth_per_s: float = 0.0, softness: float = 0.012) -> None:
        self.growth_per_s = growth_per_s
        self.softness = softness

    def geometry(self, shape_zyx: tuple[int, int, int]) -> Geometry:
        z, y, x = shape_zyx
        spacing = np.array([FOV_MM / x, FOV_MM / y, 5.0])
        return Geometry.from_parts(spacing, np.array(CENTRE_RAS_MM) - spacing * (x // 2, y // 2, z // 2))

    def spectrum(self, kx: NDArray[np.float64], ky: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Integral of the scene over the field of view (of area 1) times exp(-2 pi i k.r)."""
        k = np.hypot(kx, ky)
        total = np.zeros(k.shape, complex)
        for x, y, radius, value in self.discs:
            turn = 2 * np.pi * radius * k
            jinc = np.where(turn > 0, 2 * j1(turn) / np.where(turn > 0, turn, 1), 1.0)
            total += value * np.pi * radius**2 * jinc * np.exp(-2j * np.pi * (kx * x + ky * y))
        return total * np.exp(-2 * (np.pi * self.softness * k) ** 2)

    def brightness(self, times_s: ArrayLike) -> NDArray[np.float64]:
        return 1 + self.growth_per_s * np.atleast_1d(np.asarray(times_s, float))

    def render(self, times_s: ArrayLike, shape_zyx: tuple[int, int, int]) -> NDArray[np.complex64]:
        z, rows, columns = shape_zyx
        ky, kx = np.meshgrid(
            *(np.arange(n) - n // 2 for n in (rows, columns)),
            indexing="ij",
        )
        centred = np.fft.ifftshift(self.spectrum(kx, ky))
        image = np.fft.fftshift(np.fft.ifft2(centred)) * rows * columns
        frames = self.brightness(times_s)[:, None, None, None] * image
        return np.repeat(frames, z, axis=1).astype(np.complex64)
