"""Photographs and recordings of the accuracy benchmark: what is kept apart stays apart."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.bench.accuracy.photographs import photographs
from tests.bench.accuracy.recordings import is_tested, recorded_features
from vqrom_hw.errors import VqromError
from vqrom_sw.zoo.speech import RATE

TRAINED, TESTED = "37e8db82", "97f4c236"
"""Speakers whom Speech Commands trains and tests with."""


def test_photographs_kept_back_are_not_trained_with(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(8):
        bands = [Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).resize((300 + number, 260))
                 for _ in range(2)]
        red = Image.new("L", bands[0].size, 30 * number)
        Image.merge("RGB", [red, *bands]).save(tmp_path / f"{number}.JPEG", subsampling=0)
    seen, (unseen,) = photographs(tmp_path, [], [], 2)
    assert (seen.shape, unseen.shape) == ((18, 3, 224, 224), (2, 3, 224, 224))
    reds = [np.round((part[:, 0].mean((1, 2)) * 128 + 127) / 30) for part in (seen, unseen)]
    assert sorted(reds[1]) == [0, 4]
    assert sorted(reds[0]) == sorted([1, 2, 3, 5, 6, 7] * 3)
    assert sorted(reds[0][:6]) == [1, 2, 3, 5, 6, 7]


def test_more_photographs_are_all_trained_with_but_those_kept_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(8):
        coarse = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
        own, more = (Image.fromarray(one).resize((260, 260)) for one in coarse)
        for folder, picture in (("own", own), (f"more/{number % 2}", more)):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            picture.save(tmp_path / folder / f"{number}.jpg")
    alone, (kept_back,) = photographs(tmp_path / "own", [], [], 1)
    Image.open(tmp_path / "own" / "4.jpg").save(tmp_path / "more" / "again.jpg", quality=80)
    seen, (unseen,) = photographs(tmp_path / "own", [tmp_path / "more"], [], 1)
    np.testing.assert_array_equal(unseen, kept_back)
    assert (len(alone), len(seen), len(np.unique(seen.sum((1, 2, 3))))) == (12, 20, 20)


def test_photographs_compared_on_are_not_trained_with_in_any_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ("own", "more", "compared"):
        (tmp_path / folder).mkdir()
        for number in range(4):
            coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize((260, 260))
            coarse.save(tmp_path / folder / f"{number}.jpg")
    for folder in ("own", "more"):
        Image.open(tmp_path / "compared" / "2.jpg").save(
            tmp_path / folder / "3.jpg", quality=80)
    seen, (kept_back, compared) = photographs(
        tmp_path / "own", [tmp_path / "more"], [tmp_path / "compared"], 1)
    assert (len(seen), len(kept_back), len(compared)) == (2 + 3 + 2, 1, 4)


def test_too_few_photographs(tmp_path: Path) -> None:
    with pytest.raises(VqromError, match="must hold at least 4 JPEG files, not 0"):
        photographs(tmp_path, [], [], 1)


def test_recordings_of_tested_speakers_are_left_out(tmp_path: Path) -> None:
    write_word(tmp_path / "yes" / f"{TESTED}_nohash_0.wav")
    with pytest.raises(VqromError, match="must hold recordings"):
        recorded_features(tmp_path, 1, 1)
    for number in range(2):
        write_word(tmp_path / "no" / f"{TRAINED}_nohash_{number}.wav")
    assert is_tested(tmp_path / f"{TESTED}_nohash_0.wav")
    found = recorded_features(tmp_path, 7, 4)
    assert found.shape == (2 + 2 * 3 + 4, 1, 49, 10)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert len(np.unique(found[:, 0, 20, 1])) >= 11
    np.testing.assert_array_equal(found, recorded_features(tmp_path, 7, 4))


def test_recordings_at_another_rate(tmp_path: Path) -> None:
    write_word(tmp_path / f"{TRAINED}_nohash_0.wav", 8000)
    with pytest.raises(VqromError, match="must be 16-bit mono at 16000 Hz"):
        recorded_features(tmp_path, 1, 1)


def write_word(path: Path, rate: int = RATE) -> None:
    """A tone of 0.9 seconds."""
    path.parent.mkdir(exist_ok=True)
    samples = 9000 * np.sin(np.arange(9 * rate // 10) * 0.1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
