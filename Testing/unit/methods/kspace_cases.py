"""Small k-space whose image is known, computed in numpy without the operators that the methods use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.geometry import Geometry

OBLIQUE = np.array(
    [
        [1.25, -0.35, 0.20, -41.0],
        [0.40, 1.10, -0.90, 17.5],
        [-0.10, 0.62, 4.80, 60.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


def coil_maps(coils: int, shape_zyx: tuple[int, int, int]) -> np.ndarray:
    """Smooth sensitivities of coils around the field of view, sum of squares 1; complex64 (coils, z, y, x)."""
    z, y, x = np.meshgrid(*((np.arange(n) - n // 2) / n for n in shape_zyx), indexing="ij")
    maps = np.empty((coils, *shape_zyx), np.complex128)
    for c in range(coils):
        angle = 2 * np.pi * c / coils
        away = (x - 0.6 * np.cos(angle)) ** 2 + (y - 0.6 * np.sin(angle)) ** 2 + 0.3 * (z - 0.2 * np.cos(angle)) ** 2
        maps[c] = np.exp(-away / 0.5 + 1j * (angle + 2 * x * np.cos(angle) + 2 * y * np.sin(angle)))
    return (maps / np.sqrt((np.abs(maps) ** 2).sum(0))).astype(np.complex64)


def movie(frames: int, shape_zyx: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """A complex object that moves and is mirrored in no axis: (frames, z, y, x), magnitudes to about 1."""
    generator = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*((np.arange(n) - n // 2) / n for n in shape_zyx), indexing="ij")
    images = np.zeros((frames, *shape_zyx), np.complex128)
    for t in range(frames):
        body = ((x / 0.36) ** 2 + (y / 0.42) ** 2) < 1
        inner = (x - 0.1) ** 2 + (y + 0.08) ** 2 < (0.12 + 0.04 * np.sin(2 * np.pi * t / max(frames, 2))) ** 2
        corner = (np.abs(x + 0.15) < 0.06) & (np.abs(y - 0.2) < 0.1)
        images[t] = (0.5 * body + 0.4 * inner - 0.3 * corner) * (1 - 0.5 * z)
    images += 0.02 * generator.standard_normal(images.shape) * (np.abs(images) > 0)
    images *= np.exp(1j * (0.6 + 0.9 * x - 0.5 * y))
    # a radial trajectory does not reach the corners of k-space: the object has nothing there
    axes = (-2, -1)
    spectrum = np.fft.fft2(images, axes=axes) * np.exp(-12 * np.fft.ifftshift((x**2 + y**2), axes))
    return np.fft.ifft2(spectrum, axes=axes).astype(np.complex64)


def radial(frames: int, spokes: int, shape_yx: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Golden-angle trajectory (frames, spokes, readout, 2) and its ramp weights: the area of k-space of a sample."""
    ny, nx = shape_yx
    readout = 2 * max(shape_yx)
    radius = (np.arange(readout) - readout // 2) / readout  # of the field of view's Nyquist square
    angle = np.deg2rad(111.24611) * np.arange(frames * spokes).reshape(frames, spokes, 1)
    trajectory = np.stack([radius * np.cos(angle) * nx, radius * np.sin(angle) * ny], axis=-1)
    step = 1 / readout
    area = np.abs(radius) * step * np.pi / spokes
    area[readout // 2] = np.pi * (step / 2) ** 2 / spokes
    weights = np.broadcast_to(area * nx * ny, trajectory.shape[:-1])
    return trajectory.astype(np.float32), weights.astype(np.float32)


def sample(images: np.ndarray, trajectory: np.ndarray) -> np.ndarray:
    """The exact sum of the convention: (frames, coils, y, x) on (frames, shots, readout, 2), complex64."""
    ny, nx = images.shape[-2:]
    x, y = np.arange(nx) - nx // 2, np.arange(ny) - ny // 2
    samples = []
    for frame, k in zip(images, trajectory.astype(float), strict=True):
        along_x = np.exp(-2j * np.pi * k[..., 0, None] * x / nx)
        along_y = np.exp(-2j * np.pi * k[..., 1, None] * y / ny)
        samples.append(np.einsum("srx,sry,cyx->csr", along_x, along_y, frame, optimize=True))
    return (np.stack(samples) / np.sqrt(nx * ny)).astype(np.complex64)


def grid_samples(images: np.ndarray) -> np.ndarray:
    """The same sum at the grid points: (..., y, x) -> (..., ky, kx)."""
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(images, axes), norm="ortho"), axes).astype(np.complex64)


def times(frames: int) -> np.ndarray:
    """Irregular frame times in seconds."""
    return 0.1 + np.cumsum(np.linspace(0.03, 0.07, frames))


def cartesian_case(
    frames: int = 3, shape: tuple[int, int, int] = (1, 32, 36), coils: int = 6, skip: int = 3, **rest: Any
) -> tuple[KSpace, np.ndarray]:
    """Every ``skip``-th line, another set each frame, and 4 central lines; and the true images."""
    truth, maps = movie(frames, shape), coil_maps(coils, shape)
    lines = np.arange(shape[1])
    near_centre = np.abs(lines - shape[1] // 2) < 2
    kept = np.stack([((lines + t) % skip == 0) | near_centre for t in range(frames)])
    mask = np.broadcast_to(kept[:, None, :, None], (frames, *shape)).copy()
    samples = grid_samples(truth[:, None] * maps) * mask[:, None]
    kspace = KSpace(samples, OBLIQUE, times(frames), mask=mask, coil_maps=maps, **rest)
    return kspace, truth


def without_frame(kspace: KSpace, number: int) -> KSpace:
    """Cartesian k-space whose frame ``number`` has no sample."""
    assert kspace.mask is not None
    there = (np.arange(kspace.frames) != number)[:, None, None, None]
    return replace(kspace, samples=kspace.samples * there[..., None], mask=kspace.mask * there)


def radial_case(
    frames: int = 3, shape: tuple[int, int, int] = (1, 32, 36), coils: int = 6, spokes: int = 13, **rest: Any
) -> tuple[KSpace, np.ndarray]:
    """Golden-angle radial, several slices when ``shape`` has them; and the true images."""
    truth, maps = movie(frames, shape), coil_maps(coils, shape)
    trajectory, density = radial(frames, spokes, shape[1:])
    slices = [sample((truth[:, None] * maps)[:, :, z], trajectory) for z in range(shape[0])]
    samples = slices[0] if shape[0] == 1 else np.stack(slices, axis=2)
    common = {"trajectory": trajectory, "density": density, "image_shape": shape, "coil_maps": maps, **rest}
    return KSpace(samples, OBLIQUE, times(frames), **common), truth


def gaussian_spectrum(k: np.ndarray, shape: tuple[int, ...], centre: np.ndarray, width: float) -> np.ndarray:
    """Fourier integral of a Gaussian of height 1 and ``width`` voxels at ``centre`` voxels from index N // 2.

    ``k`` (..., d) in order kx, ky (, kz), ``shape`` and ``centre`` in the same order. Knows no image grid.
    """
    frequency = k / np.array(shape, float)
    height = (2 * np.pi * width**2) ** (len(shape) / 2) / np.sqrt(np.prod(shape))
    return height * np.exp(-2 * (np.pi * width) ** 2 * (frequency**2).sum(-1) - 2j * np.pi * (frequency @ centre))


def difference(image: np.ndarray, truth: np.ndarray) -> float:
    """Relative error."""
    return float(np.linalg.norm(image - truth) / np.linalg.norm(truth))


def identity_geometry(shape: tuple[int, int, int]) -> np.ndarray:
    """Affine of a centred 1 mm grid."""
    return Geometry.centred(shape).affine
