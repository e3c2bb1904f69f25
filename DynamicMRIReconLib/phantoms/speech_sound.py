"""A sound that goes with the speaking phantom: pulses through three formants that its articulators move.

Source and filter after Fant (Acoustic Theory of Speech Production, 1960), with formants as plain functions of the
articulators. It makes the sound begin, end and change with what is seen; it is no model of a vocal tract's acoustics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.phantoms.articulation import ARTICULATORS, Utterance

RATE_HZ = 16000
_BLOCK_S = 0.005
_PITCH_HZ = 115.0
#: widths of the formants' resonances
_WIDTHS_HZ = (90.0, 120.0, 180.0)
_SIBILANT = "s"


def speech_sound(utterance: Utterance, duration_s: float, seed: int = 0) -> NDArray[np.float32]:
    """(n,) sound from time 0, ``RATE_HZ`` samples per second, largest magnitude 0.8."""
    count = round(duration_s * RATE_HZ)
    blocks = max(1, -(-count // round(_BLOCK_S * RATE_HZ)))
    middles = (np.arange(blocks) + 0.5) * _BLOCK_S
    moved = dict(zip(ARTICULATORS, utterance.positions(middles).T, strict=True))
    rng = np.random.default_rng([seed, 11])
    closed = np.max([moved["tip"] - 0.75, moved["lips"] - 0.75, moved["back"] - 1.0], axis=0)
    voice = _filtered(_pulses(blocks), _formants(moved)) * np.repeat(np.clip(-closed / 0.2, 0.03, 1.0), _samples())
    hissing = np.zeros(blocks)
    for start, end, symbol in utterance.segments(0.0, duration_s):
        if symbol == _SIBILANT:
            hissing[(middles >= start) & (middles < end)] = 1.0
        elif not symbol:
            voice[round(start * RATE_HZ) : round(end * RATE_HZ)] = 0.0
    noise = np.diff(rng.standard_normal(blocks * _samples()), prepend=0.0)
    largest = float(np.abs(voice).max()) or 1.0
    sound = voice / largest * np.repeat(1 - 0.9 * hissing, _samples()) + 0.12 * noise * np.repeat(hissing, _samples())
    # Without its steps between blocks it does not click.
    smooth = np.ones(_samples()) / _samples()
    loudness = np.convolve(np.abs(sound) > 0, smooth, mode="same")
    sound = (sound * loudness)[:count]
    return (0.8 * sound / (float(np.abs(sound).max()) or 1.0)).astype(np.float32)


def _samples() -> int:
    return round(_BLOCK_S * RATE_HZ)


def _formants(moved: dict[str, NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    first = 280.0 + 420.0 * np.maximum(moved["low"], 0.3 * moved["jaw"])
    second = 1350.0 + 850.0 * moved["front"] - 450.0 * np.clip(moved["back"], 0, 1) - 200.0 * moved["round"]
    third = 2500.0 + 400.0 * moved["front"] - 150.0 * moved["round"]
    return [np.clip(one, low, high) for one, low, high in
            ((first, 200, 900), (second, 650, 2400), (third, 1900, 3300))]  # fmt: skip


def _pulses(blocks: int) -> NDArray[np.float64]:
    times = np.arange(blocks * _samples()) / RATE_HZ
    phase = np.cumsum(_PITCH_HZ * (1 + 0.08 * np.sin(2 * np.pi * 0.9 * times))) / RATE_HZ
    pulses = np.zeros(len(times))
    pulses[1:][np.diff(np.floor(phase)) > 0] = 1.0
    return pulses


def _filtered(source: NDArray[np.float64], formants: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """``source`` through one resonance after the other, each moved block by block."""
    from scipy.signal import lfilter

    sound, size = source, _samples()
    for frequencies, width in zip(formants, _WIDTHS_HZ, strict=True):
        radius, state, parts = float(np.exp(-np.pi * width / RATE_HZ)), np.zeros(2), []
        for block, hz in enumerate(frequencies):
            poles = [1.0, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2]
            piece, state = lfilter([sum(poles)], poles, sound[block * size : (block + 1) * size], zi=state)
            parts.append(piece)
        sound = np.concatenate(parts)
    return sound
