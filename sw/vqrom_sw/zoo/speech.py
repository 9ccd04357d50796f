"""Synthetic sounds like speech, and the features that keyword spotting makes of a sound.

They stand in for recordings, of which the zoo has none.

The features are those of MLPerf Tiny's reference (mlcommons/tiny, keyword spotting): 49 frames of
30 ms every 20 ms, Hann window, magnitude spectrum, 40 mel bands from 20 Hz to 4 kHz, logarithm,
the first 10 coefficients of the cosine transform.
"""

from __future__ import annotations

from functools import cache

import numpy as np

RATE = 16_000
"""Samples a second."""

FRAME, STEP, SPECTRUM = 480, 320, 512
"""Samples of a frame, between two frames, and of a Fourier transform."""

FRAMES, BANDS, COEFFICIENTS = 49, 40, 10
"""Frames of a sound, mel bands of a frame, and cepstral coefficients kept of them."""

LOWEST_HZ, HIGHEST_HZ = 20.0, 4000.0
"""Ends of the mel bands."""

FLOOR = 1e-6
"""Number added to a band before its logarithm."""

PIECE = RATE // 100
"""Samples of 10 ms, for which a resonance stands still."""

TAIL = -(-SPECTRUM // PIECE)
"""Pieces through which a resonance rings on."""

_HERTZ = np.fft.rfftfreq(SPECTRUM, 1 / RATE)[:, None]


def synthetic_features(count: int, seed: int) -> np.ndarray:
    """Make features of random sounds, float32 ``[count, 1, 49, 10]``."""
    rng = np.random.default_rng(seed)
    return np.stack([features(sound(rng)) for _ in range(count)])[:, None]


def sound(rng: np.random.Generator) -> np.ndarray:
    """Make one second like a short word: silence, voiced and unvoiced parts, silence.

    A source (glottal pulses with a gliding pitch, or noise) goes through three resonances that
    glide from part to part; noise of a random level lies under all of it.
    """
    samples = np.zeros(RATE)
    place = int(rng.uniform(0, 0.35) * RATE)
    end = int(rng.uniform(0.55, 1.0) * RATE)
    pitch = rng.uniform(80, 280)
    formants = _formants(rng)
    while place < end:
        length = min(int(rng.uniform(0.04, 0.22) * RATE), end - place)
        following = _formants(rng)
        target = pitch * rng.uniform(0.8, 1.2)
        source = _source(rng, length, pitch, target)
        samples[place:place + length] += _envelope(rng, length) * _resonate(
            source, formants, following)
        formants, pitch, place = following, target, place + length
    peak = np.abs(samples).max() or 1.0
    noise = rng.standard_normal(RATE) * 10 ** rng.uniform(-4.5, -1.2)
    mixed = samples / peak * (rng.random() > 0.06) + coloured(rng, noise)
    return mixed / max(np.abs(mixed).max(), 1e-9)


def features(samples: np.ndarray) -> np.ndarray:
    """The mel-frequency cepstral coefficients of one second of samples, float32 ``[49, 10]``."""
    starts = np.arange(FRAMES) * STEP
    frames = samples[starts[:, None] + np.arange(FRAME)]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    magnitude = np.abs(np.fft.rfft(frames * window, SPECTRUM))
    logarithm = np.log(magnitude @ _mel_weights() + FLOOR)
    angles = np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(COEFFICIENTS))
    return (logarithm @ (2 * np.cos(angles)) / np.sqrt(2 * BANDS)).astype(np.float32)


def coloured(rng: np.random.Generator, noise: np.ndarray) -> np.ndarray:
    """Give white noise ``[N]`` a spectrum between white and 1/f, at random and equally loud."""
    spectrum = np.fft.rfft(noise)
    slope = (np.arange(len(spectrum)) + 1.0) ** -rng.uniform(0, 1)
    return np.fft.irfft(spectrum * slope / np.sqrt(np.square(slope).mean()), len(noise))


@cache
def _mel_weights() -> np.ndarray:
    """Weights of spectral bins in each band, ``[257, 40]``: triangles evenly spaced in mel."""
    hertz = np.arange(SPECTRUM // 2 + 1) * RATE / SPECTRUM
    edges = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    mel = _mel(hertz)[:, None]
    triangles = np.minimum((mel - low) / (centre - low), (high - mel) / (high - centre))
    triangles[0] = 0
    return np.maximum(triangles, 0)


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _formants(rng: np.random.Generator) -> np.ndarray:
    """Random frequencies of three resonances in Hz."""
    return np.array([rng.uniform(250, 900), rng.uniform(850, 2500), rng.uniform(2200, 3600)])


def _source(rng: np.random.Generator, length: int, pitch: float, target: float) -> np.ndarray:
    if rng.random() < 0.3:
        return rng.standard_normal(length)
    phase = np.cumsum(np.linspace(pitch, target, length)) / RATE
    pulses = np.diff(np.floor(phase), prepend=0.0)
    return pulses * 8 + rng.standard_normal(length) * 10 ** rng.uniform(-2.5, -1)


def _resonate(source: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Shape a sound by resonances that glide, a piece of 10 ms at a time."""
    pieces = -(-len(source) // PIECE)
    parts = np.zeros(pieces * PIECE)
    parts[:len(source)] = source
    share = (np.arange(pieces) / pieces)[:, None, None]
    centre = start + (end - start) * share
    gain = (1 / (1 + ((_HERTZ - centre) / (60 + centre * 0.06)) ** 2)).sum(2)
    shaped = np.fft.irfft(np.fft.rfft(parts.reshape(pieces, PIECE), SPECTRUM) * gain)
    # Each piece rings on through the following ones; whole pieces fit into the spectrum's length.
    result = np.zeros((pieces + TAIL, PIECE))
    ringing = np.pad(shaped, ((0, 0), (0, TAIL * PIECE - SPECTRUM))).reshape(pieces, TAIL, PIECE)
    for late in range(TAIL):
        result[late:late + pieces] += ringing[:, late]
    return result.reshape(-1)[:len(source)]


def _envelope(rng: np.random.Generator, length: int) -> np.ndarray:
    ramp = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.01 * RATE))
    return ramp * rng.uniform(0.15, 1.0)
