"""Virtual coils by number and by energy, against the singular values of the coils."""

from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.operators.coil_compression import compress_coils, compression_matrix

#: amplitudes of eight independent channels; their energies are the squares
AMPLITUDES = np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.1, 0.05])


def kspace(coils: int = 8) -> KSpace:
    """Channels of very different strength, mixed so that no coil is one of them."""
    rng = np.random.default_rng(3)
    channels = rng.standard_normal((2, coils, 1, 32, 32)) + 1j * rng.standard_normal((2, coils, 1, 32, 32))
    mix, _ = np.linalg.qr(rng.standard_normal((coils, coils)) + 1j * rng.standard_normal((coils, coils)))
    samples = np.einsum("vc,fczyx->fvzyx", mix * AMPLITUDES[:coils], channels)
    return KSpace(samples, np.eye(4), np.arange(2.0), coil_maps=rng.standard_normal((coils, 1, 32, 32)) + 0j)


def energy(samples: np.ndarray) -> float:
    return float(np.sum(np.abs(samples.astype(np.complex128)) ** 2))


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 0.99999])
def test_the_fewest_virtual_coils_that_hold_the_energy(part: float) -> None:
    data = kspace()
    flat = np.moveaxis(data.samples, 1, 0).reshape(8, -1)
    energies = np.linalg.svd(flat, compute_uv=False).astype(float) ** 2
    held = np.cumsum(energies) / energies.sum()
    expected = 1 + int(np.flatnonzero(held >= part)[0])
    few = compress_coils(data, 0, part)
    assert few.coils == expected
    kept = energy(few.samples) / energy(data.samples)
    assert kept >= part - 1e-6
    fewer = compress_coils(data, expected - 1) if expected > 1 else None
    assert fewer is None or energy(fewer.samples) / energy(data.samples) < part


def test_energy_decides_over_the_number() -> None:
    data = kspace()
    assert compress_coils(data, 2, 0.9999).coils > 2
    assert compress_coils(data, 7, 0.5).coils == 1


def test_all_of_the_energy_keeps_what_carries_signal() -> None:
    assert compress_coils(kspace(), 3, 1.0).coils == 8
    one = kspace(coils=1)
    assert compress_coils(one, 3, 0.5) is one


def test_rows_are_orthonormal_and_maps_are_combined_alike() -> None:
    data = kspace()
    matrix = compression_matrix(data.samples, energy=0.99)
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(len(matrix)), atol=1e-5)
    few = compress_coils(data, 0, 0.99)
    np.testing.assert_allclose(few.coil_maps, np.tensordot(matrix, data.coil_maps, axes=(1, 0)), atol=1e-5)
