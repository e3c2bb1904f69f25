"""Wav files: PCM of 8 to 32 bits and floating point, as one channel on the time axis of a series."""

from __future__ import annotations

import os
import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.audio.wav_chunks import check_chunks
from DynamicMRIReconLib.errors import InputError, ResourceError

SUFFIXES = (".wav", ".wave")
#: below this a recording is no sound that one can hear, and above it none that a wav file of speech has
_RATES_HZ = (100, 1_000_000)


@dataclass(frozen=True)
class Recording:
    """Sound over time.

    Attributes
    ----------
    samples
        (n,) float32, the mean of the channels; 1 is the largest value that the file can hold.
    rate_hz
        Samples per second.
    start_s
        When the first sample was taken, on the time axis of the series.
    name
        Of the file.
    """

    samples: NDArray[np.float32]
    rate_hz: float
    start_s: float = 0.0
    name: str = "sound"

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate_hz

    def starting_at(self, start_s: float) -> Recording:
        """The same sound at another place of the series' time axis; negative where it began before the images."""
        return replace(self, start_s=float(start_s))


def read_wav(path: str | Path) -> Recording:
    """Read a wav file.

    Raises
    ------
    InputError
        It is missing, damaged, cut short, compressed, or holds no sound.
    ResourceError
        It does not fit into memory.
    """
    from scipy.io import wavfile

    path = Path(path)
    if not os.path.isfile(path):  # noqa: PTH113  Path raises where a name is too long
        raise InputError(f"{path} does not exist: check the name of the sound file.")
    try:
        check_chunks(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", wavfile.WavFileWarning)
            # Chunks that say something about the sound, such as its title, are none of ours.
            warnings.filterwarnings("ignore", "Chunk .non-data. not understood", wavfile.WavFileWarning)
            rate, data = wavfile.read(path)
    except wavfile.WavFileWarning as error:
        raise InputError(f"{path.name} is cut short: copy or export it again ({error}).") from error
    except MemoryError as error:
        raise ResourceError(f"{path.name} does not fit into memory: cut out the part that matters first.") from error
    except (ValueError, OSError, EOFError, struct.error, ZeroDivisionError, OverflowError, TypeError) as error:
        raise InputError(
            f"{path.name} cannot be read as a wav file ({error}): save it as uncompressed PCM, 16 or 24 bits."
        ) from error
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        raise InputError(f"{path.name} says that it has {rate} samples per second: it is damaged.")
    samples = _scaled(data)
    if not samples.size:
        raise InputError(f"{path.name} holds no sound.")
    if not np.isfinite(samples).all():
        raise InputError(f"{path.name} holds samples that are no numbers: it is damaged.")
    return Recording(samples, float(rate), name=path.name)


def _scaled(data: NDArray[np.generic]) -> NDArray[np.float32]:
    """(n,) one channel, -1 to 1."""
    if data.dtype == np.uint8:
        sound = (data.astype(np.float32) - 128.0) / 128.0
    elif data.dtype.kind == "i":
        # 24 bits come as the upper ones of 32.
        sound = data.astype(np.float32) / float(2 ** (8 * data.dtype.itemsize - 1))
    else:
        sound = data.astype(np.float32)
    return sound if sound.ndim == 1 else sound.mean(axis=1, dtype=np.float32)
