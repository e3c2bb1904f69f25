from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.acquisition.noise import complex_noise
from DynamicMRIReconLib.errors import InputError


def test_noise_is_circular_and_of_the_given_sd() -> None:
    noise = complex_noise((200_000,), 3.0, 1)
    assert np.mean(np.abs(noise) ** 2) == pytest.approx(9, rel=0.01)
    assert noise.real.std() == pytest.approx(noise.imag.std(), rel=0.01)
    assert abs(np.mean(noise**2)) < 0.1
    assert np.array_equal(noise, complex_noise((200_000,), 3.0, 1))
    assert not np.array_equal(noise, complex_noise((200_000,), 3.0, 2))


def test_an_impossible_sd_is_refused() -> None:
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="standard deviation"):
            complex_noise((3,), bad)
