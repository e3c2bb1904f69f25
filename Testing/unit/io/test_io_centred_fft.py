"""The readers' transforms: centred at N // 2 for even and odd sizes, orthonormal, and cut about that centre."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from DynamicMRIReconLib.io.centred_fft import crop_field_of_view, fft_axis, fit_axis, ifft_axis

SIZES = st.integers(1, 17)


@given(size=SIZES, seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_transform_is_the_stated_sum(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(2, size, 3)) + 1j * rng.normal(size=(2, size, 3))
    r = np.arange(size) - size // 2
    matrix = np.exp(-2j * np.pi * np.outer(r, r) / size) / np.sqrt(size)
    expected = np.einsum("kr,arb->akb", matrix, image)
    np.testing.assert_allclose(fft_axis(image, 1), expected, atol=1e-5)
    np.testing.assert_allclose(ifft_axis(expected, 1), image, atol=1e-5)


@given(old=SIZES, new=SIZES)
@settings(max_examples=60, deadline=None)
def test_the_centre_stays_the_centre(old: int, new: int) -> None:
    positions = np.arange(old) - old // 2 + 100
    fitted = fit_axis(np.stack([positions, positions]), -1, new)
    expected = np.arange(new) - new // 2 + 100
    kept = (expected >= positions[0]) & (expected <= positions[-1])
    np.testing.assert_array_equal(fitted, np.stack([np.where(kept, expected, 0)] * 2))


@given(size=st.integers(2, 12), extra=st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_cutting_the_field_of_view_keeps_the_middle_of_the_image(size: int, extra: int) -> None:
    rng = np.random.default_rng(size)
    wide = (rng.normal(size=(2, size + extra)) + 1j * rng.normal(size=(2, size + extra))).astype(np.complex64)
    cut = ifft_axis(crop_field_of_view(fft_axis(wide, 1), 1, size), 1)
    np.testing.assert_allclose(cut, fit_axis(wide, 1, size), atol=1e-5)
