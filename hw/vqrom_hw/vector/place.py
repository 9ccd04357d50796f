"""Where in a word the bytes of a result go."""

from amaranth.hdl import Cat, Mux, Value


def rotated(word: Value, rotation: Value, rows: int) -> Value:
    """A word whose byte ``(i + rotation) % rows`` is byte ``i`` of ``word``.

    It is a chain of as many multiplexers as ``rotation`` has bits: where a bit is set, all bytes
    move by what it is worth.

    Parameters
    ----------
    word: ``8 * rows`` bits
        The bytes of all lanes.
    rotation:
        Lanes to move by, below ``rows``.
    """
    for bit in range((rows - 1).bit_length()):
        moved = 8 * ((1 << bit) % rows)
        word = Mux(rotation[bit], Cat(word[8 * rows - moved:], word[:8 * rows - moved]), word)
    return word


def lane_mask(first: Value, lanes: Value, rows: int) -> Value:
    """One bit for each of ``rows`` lanes: set for ``lanes`` of them from lane ``first`` on.

    Parameters
    ----------
    lanes:
        0 stands for all lanes from ``first`` on.
    """
    end = Mux(lanes == 0, rows, first + lanes)
    return Cat((lane >= first) & (lane < end) for lane in range(rows))
