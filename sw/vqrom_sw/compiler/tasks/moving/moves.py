"""Channels that go from some maps into another one: which words and lanes move where.

A range of channels that begins in another lane than it comes from crosses the borders of words: the
lanes of a word go to two words, and each takes an operation that writes some lanes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .patch import ALL_LANES, Lanes


@dataclass(frozen=True)
class ChannelRange:
    """Consecutive channels of an input that are consecutive channels of the output.

    Members
    -------
    source:
        Which of the task's inputs.
    first, target:
        The first of them in the input, and in the output.
    count:
        How many there are.
    """

    source: int
    first: int
    target: int
    count: int


@dataclass(frozen=True)
class Move:
    """Words that one operation writes in each pixel.

    Members
    -------
    source:
        Which of the task's inputs; -1 where the words are filled with the zero point.
    word, target:
        The first channel word that is read, and the first that is written.
    words:
        How many; more than one only where they are moved as a whole.
    lanes:
        Where in a word they go.
    """

    source: int
    word: int
    target: int
    words: int
    lanes: Lanes

    @property
    def sources(self) -> tuple[int, int]:
        """First and end of the channel words that are read."""
        return self.word, self.word + self.words

    @property
    def targets(self) -> tuple[int, int]:
        """First and end of the channel words that are written."""
        return self.target, self.target + self.words


@dataclass(frozen=True)
class Depth:
    """Channels of a map, and how many lanes their words have."""

    channels: int
    lanes: int


def plan_moves(ranges: Sequence[ChannelRange], inputs: Sequence[Depth], output: Depth,
               rows: int) -> list[Move]:
    """The moves that write every lane of an output.

    Lanes that no range covers, those beyond the channels among them, get the zero point.

    Parameters
    ----------
    ranges:
        Where channels go; no two of them to one place.
    inputs, output:
        The maps. Lanes beyond the channels of inputs hold the zero point already.
    rows:
        Lanes of a word.
    """
    covered = [False] * output.lanes
    moves: list[Move] = []
    for given in ranges:
        channels = _extended(given, inputs[given.source], output)
        covered[channels.target:channels.target + channels.count] = [True] * channels.count
        moves += _pieces(channels, rows)
    moves += [_fill(first, end, rows) for first, end in _gaps(covered, rows)]
    return _merged(moves)


def _extended(channels: ChannelRange, source: Depth, output: Depth) -> ChannelRange:
    """The range, and the lanes beyond if it ends where both maps do."""
    end, target_end = channels.first + channels.count, channels.target + channels.count
    if (end, target_end) != (source.channels, output.channels):
        return channels
    more = min(source.lanes - end, output.lanes - target_end)
    return replace(channels, count=channels.count + more)


def _pieces(channels: ChannelRange, rows: int) -> Iterator[Move]:
    """The parts of a range that lie in one word of the input and one of the output."""
    done = 0
    while done < channels.count:
        word, lane = divmod(channels.first + done, rows)
        target, target_lane = divmod(channels.target + done, rows)
        count = min(channels.count - done, rows - lane, rows - target_lane)
        lanes = ALL_LANES if count == rows \
            else Lanes((target_lane - lane) % rows, target_lane, count)
        yield Move(channels.source, word, target, 1, lanes)
        done += count


def _gaps(covered: list[bool], rows: int) -> Iterator[tuple[int, int]]:
    """Runs of lanes, within a word each, that nothing covers."""
    first = None
    for lane, is_covered in enumerate([*covered, True]):
        if first is not None and (is_covered or lane % rows == 0):
            yield first, lane
            first = None
        if first is None and not is_covered:
            first = lane


def _fill(first: int, end: int, rows: int) -> Move:
    """The move that fills lanes of one word."""
    word, lane = divmod(first, rows)
    lanes = ALL_LANES if end - first == rows else Lanes(0, lane, end - first)
    return Move(-1, 0, word, 1, lanes)


def _merged(moves: list[Move]) -> list[Move]:
    """Moves of whole words that follow each other on both sides as one."""
    result: list[Move] = []
    for move in moves:
        last = result[-1] if result else None
        if last and (last.source, last.lanes, move.lanes) == (move.source, ALL_LANES, ALL_LANES) \
                and move.target == last.target + last.words \
                and (move.source < 0 or move.word == last.word + last.words):
            result[-1] = replace(last, words=last.words + 1)
        else:
            result.append(move)
    return result


def needs_lanes(moves: Sequence[Move]) -> bool:
    """Whether a move writes some lanes of a word alone, which not every vector unit can."""
    return any(move.lanes != ALL_LANES for move in moves)


def channel_ranges(sources: Sequence[int]) -> list[ChannelRange]:
    """The ranges of a selection: ``sources`` has the input channel of each channel, or -1."""
    ranges: list[ChannelRange] = []
    for target, channel in enumerate(sources):
        last = ranges[-1] if ranges else None
        if channel < 0:
            continue
        if last and (channel - last.first, target - last.target) == (last.count, last.count):
            ranges[-1] = replace(last, count=last.count + 1)
        else:
            ranges.append(ChannelRange(0, channel, target, 1))
    return ranges
