"""How fast a core of this computer is, beside the one on which the estimates' constants were measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import numpy as np

#: seconds that the two pieces of work below take on the core the constants of the estimates were measured on
TRANSFORMS_S, PRODUCTS_S = 7.6e-4, 5.5e-4
#: a clock that was disturbed may say anything; no computer that runs this is slower or faster than this
SLOWEST, FASTEST = 0.2, 5.0
_REPEATS = 12


@cache
def transform_speed() -> float:
    """Of Fourier transforms and passes through memory, 1 being the reference; measured once, some ten milliseconds."""
    from scipy.fft import fftn

    images = np.ones((4, 160, 160), np.complex64)
    return _limited(TRANSFORMS_S / _seconds(lambda: fftn(images, axes=(1, 2))))


@cache
def network_speed() -> float:
    """The same of small matrix products, which networks consist of."""
    # so small that no library shares it out to several threads
    one = np.ones((96, 96), np.float32)

    def products() -> None:
        for _ in range(20):
            one @ one

    return _limited(PRODUCTS_S / _seconds(products))


def _seconds(work: Callable[[], object]) -> float:
    """The shortest of some repeats: what other programs take of the time only makes them longer."""
    shortest = float("inf")
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - begun)
    return max(shortest, 1e-6)


def _limited(speed: float) -> float:
    return min(FASTEST, max(SLOWEST, speed))
