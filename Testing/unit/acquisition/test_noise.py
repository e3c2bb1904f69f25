from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.acquisition.noise import add_noise, complex_noise, noise_covariance, prewhiten
from DynamicMRIReconLib.errors import InputError

MIXING = np.array([[2.0, 0, 0], [0.5 + 0.5j, 1.0, 0], [0.1, -0.3j, 0.2]])


def correlated(count: int, seed: int) -> np.ndarray:
    return (MIXING @ complex_noise((3, count), 1.0, seed)).astype(np.complex64)


def test_noise_is_circular_and_of_the_given_sd() -> None:
    noise = complex_noise((200_000,), 3.0, 1)
    assert np.mean(np.abs(noise) ** 2) == pytest.approx(9, rel=0.01)
    assert noise.real.std() == pytest.approx(noise.imag.std(), rel=0.01)
    assert abs(np.mean(noise**2)) < 0.1
    assert np.array_equal(noise, complex_noise((200_000,), 3.0, 1))
    assert not np.array_equal(noise, complex_noise((200_000,), 3.0, 2))


def test_added_noise_has_the_given_ratio_and_leaves_unmeasured_samples() -> None:
    samples = np.full((4, 10_000), 2j, np.complex64)
    samples[:, ::2] = 0
    noisy = add_noise(samples, snr=10, seed=0)
    assert not noisy[:, ::2].any()
    assert np.std((noisy - samples)[:, 1::2]) == pytest.approx(0.2, rel=0.02)
    for bad in (0, -1, float("nan")):
        with pytest.raises(InputError):
            add_noise(samples, bad)
    with pytest.raises(InputError, match="zero"):
        add_noise(np.zeros((2, 2), np.complex64), 10)


def test_covariance() -> None:
    assert np.allclose(noise_covariance(correlated(200_000, 0)), MIXING @ MIXING.conj().T, atol=0.03)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_prewhitening_makes_noise_white_and_signals_keep_their_snr(axis: int) -> None:
    scan = correlated(50_000, 0)
    data = correlated(60_000, 5).reshape(3, 60, 1000)
    white = prewhiten(np.moveaxis(data, 0, axis), scan, axis)
    assert white.dtype == np.complex64
    assert white.shape == np.moveaxis(data, 0, axis).shape
    assert np.allclose(noise_covariance(white, axis), np.eye(3), atol=0.03)
    moved = np.moveaxis(scan.reshape(3, 50, 1000), 0, axis)
    assert np.allclose(prewhiten(np.moveaxis(data, 0, axis), moved, axis), white, atol=1e-4)


def test_useless_noise_scans_are_refused() -> None:
    data = correlated(100, 0)
    copied = correlated(1000, 0)
    copied[1] = copied[0]
    silent = correlated(1000, 0)
    silent[2] = 0
    for scan in (copied, silent, correlated(3, 0), correlated(1000, 0)[:2]):
        with pytest.raises(InputError):
            prewhiten(data, scan, 0)
