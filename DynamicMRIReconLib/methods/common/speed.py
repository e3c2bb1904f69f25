"""How fast a core of this computer is, beside the one on which the estimates' constants were measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache

import numpy as np

#: seconds that the two pieces of work below take where the constants of the estimates were measured
TRANSFORMS_S, PRODUCTS_S = 1.0e-3, 5.7e-4
#: a clock that was disturbed may say anything; no computer that runs this is slower or faster than this
SLOWEST, FASTEST = 0.2, 5.0
#: as different does the same computer find itself from moment to moment, while runs take much the same time
_NOISE = (0.7, 1.4)
#: how often each is done, and seconds in between: other programs come and go
_REPEATS, _PAUSE_S = 16, 0.003


def transform_speed() -> float:
    """Of Fourier transforms and passes through memory, 1 being the reference."""
    return _speeds()[0]


def network_speed() -> float:
    """The same of small matrix products, which networks consist of."""
    return _speeds()[1]


@cache
def _speeds() -> tuple[float, float]:
    """Measured once a process, in about a tenth of a second."""
    from scipy.fft import fftn

    images = np.ones((4, 160, 160), np.complex64)
    # so small that no library shares it out to several threads
    matrix = np.ones((96, 96), np.float32)

    def products() -> None:
        for _ in range(20):
            matrix @ matrix

    transforms_s, products_s = [], []
    for _ in range(_REPEATS):
        transforms_s.append(_seconds(lambda: fftn(images, axes=(1, 2))))
        products_s.append(_seconds(products))
        time.sleep(_PAUSE_S)
    return _speed(TRANSFORMS_S, transforms_s), _speed(PRODUCTS_S, products_s)


def _seconds(work: Callable[[], object]) -> float:
    begun = _clock()
    work()
    return _clock() - begun


def _clock() -> float:
    """Seconds of this thread's computing; where that clock ticks too slowly (Windows), seconds."""
    return time.thread_time() if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter()


def _speed(reference_s: float, measured_s: list[float]) -> float:
    found = reference_s / max(statistics.median(measured_s), 1e-7)
    return 1.0 if _NOISE[0] < found < _NOISE[1] else min(FASTEST, max(SLOWEST, found))
