"""The networks of a command line, each with the shape and files that its options give it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sim.flows import Source
from vqrom_sw.io import MAX_DIMENSION, MAX_DIMENSIONS


def parse_shape(text: str) -> tuple[int, ...]:
    """``1x28x28`` or ``1,3,32,32`` as a tuple.

    Raises
    ------
    VqromError
        If it is not 1 to 8 positive integers, all with the same separator.
    """
    separator = "," if "," in text else "x"
    parts = text.lower().split(separator)
    sizes = tuple(int(part) for part in parts if re.fullmatch(r"\s*[0-9]{1,8}\s*", part))
    if len(sizes) != len(parts) or len(parts) > MAX_DIMENSIONS or not all(
            0 < size <= MAX_DIMENSION for size in sizes):
        raise VqromError(
            "shape must be positive integers separated by 'x' or ',', "
            f"such as 1x28x28 or 1,3,32,32, not {text!r}")
    return sizes


def resolve_sources(networks: Sequence[str], example_inputs: Sequence[str],
                    calibrations: Sequence[Path], labels: Sequence[Path] = ()) -> list[Source]:
    """Check the networks' names and give each of the user's own its shape and files.

    Parameters
    ----------
    networks:
        As typed.
    example_inputs, calibrations, labels:
        One for all networks that take them, or one for each, in order.

    Raises
    ------
    VqromError
        If a name is unknown, or lacks its shape or calibration file.
    """
    sources = [Source(name) for name in networks]
    own = [source for source in sources if source.own]
    modules = [source for source in own if ":" in str(source.network)]
    shapes = _one_each("--example-input", example_inputs, modules)
    files = _one_each("--calibration", calibrations, own)
    classes = _one_each("--labels", labels, own) if labels else [None] * len(own)
    for place, source in enumerate(sources):
        if source.own:
            shape = (_input_shape(shapes[modules.index(source)]) if source in modules else ())
            number = own.index(source)
            sources[place] = replace(source, calibration=files[number], labels=classes[number],
                                     example_shape=shape)
    return sources


def _one_each(option: str, values: Sequence[Any], sources: Sequence[Source]) -> list[Any]:
    """One value for each network; a single one serves them all."""
    if values and not sources:
        raise VqromError(f"{option} is for networks of your own, and there is none")
    if sources and not values:
        raise VqromError(f"network {str(sources[0].network)!r} needs {option}")
    if len(values) not in (0, 1, len(sources)):
        raise VqromError(f"{option} must be given once, or once for each of the "
                         f"{len(sources)} networks of your own, not {len(values)} times")
    return list(values) * len(sources) if len(values) == 1 else list(values)


def _input_shape(text: str) -> tuple[int, ...]:
    shape = parse_shape(text)
    shape = shape if len(shape) == 4 else (1, *shape)
    if len(shape) not in (3, 4) or shape[0] != 1:
        raise VqromError("example input must be C x H x W or 1 x C x H x W, or S x C, "
                         f"not {text!r}")
    return shape
