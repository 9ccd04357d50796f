"""What is recorded is what the Verilog does: cycle by cycle, at the ports of chosen instances."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sim.engines.engine_checks import TINY
from tests.sim.engines.recorded import (
    ARRAY,
    IMAGES,
    PE,
    need_headers,
    recorded_program,
    whole_recording,
)
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import design_instances, record, run_model
from vqrom_sim.engines.rtl.instances import read_modules


def dot(words: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Dot products of int8 vectors that are packed into words of 32 bits."""
    one, other = (values.astype("<u4").view(np.int8).reshape(-1, 4).astype(np.int64)
                  for values in (words, weights))
    return (one * other).sum(1)


def test_cycles_are_those_of_all_images() -> None:
    program = recorded_program()[0]
    recording = whole_recording()
    assert (recording.first, recording.cycles) == (0, IMAGES * run_model(program).total["cycles"])
    assert recording.values("vqrom")["active"].all()
    assert set(recording.values("vqrom")["active_layer"].tolist()) <= set(
        range(len(program.layers)))


def test_a_processing_element_does_what_its_ports_say() -> None:
    """Its registers follow from its inputs: weights from the codewords, products from both."""
    ports = whole_recording().values(PE)
    zero = np.uint64(0)
    shadow, weights, held = zero, zero, []
    cleared = (ports["flush"] | ports["rst"]) != 0
    for load, swap, codeword, clear in zip(ports["load"], ports["swap"], ports["codeword"],
                                           cleared, strict=True):
        held.append(weights)
        # Both registers are taken over with one edge.
        weights, shadow = (shadow if swap else weights), (codeword if load else shadow)
        if clear:
            weights, shadow = zero, zero
    assert ports["load"].sum() > 10 and ports["swap"].sum() > 10
    products = np.where(cleared, 0, dot(ports["activations"], np.array(held, np.uint64)))
    found = ports["product"].astype(np.int64)
    found -= (found >> 17) << 18
    assert np.unique(found).size > 100
    np.testing.assert_array_equal(found[1:], products[:-1])


def test_wide_signals_are_bits_the_lowest_first() -> None:
    recording = whole_recording()
    values, bits = recording.values(ARRAY), recording.bits(ARRAY)
    parts = [bits[f"column_adder_{column}.total"] for column in range(TINY.columns)]
    assert values["totals"].dtype == np.uint8
    np.testing.assert_array_equal(values["totals"], np.concatenate(parts, axis=1))
    assert values["totals"].shape[1] == recording.widths(ARRAY)["totals"] > 64
    weight = np.uint64(1) << np.arange(bits["activations"].shape[1], dtype=np.uint64)
    np.testing.assert_array_equal((bits["activations"] * weight).sum(1, dtype=np.uint64),
                                  values["activations"])


def test_outputs_of_children_are_their_ports() -> None:
    recording = whole_recording()
    np.testing.assert_array_equal(recording.values(ARRAY)["processing_element_0_0.product"],
                                  recording.values(PE)["product"])
    assert recording.modules[PE] == "processing_element"
    assert {name for name, port in recording.ports["processing_element"].items()
            if port.output} == {"product"}


def test_a_window_is_a_part_of_the_whole() -> None:
    program, codebook, images = recorded_program()
    whole = whole_recording()
    # Over the end of the first image, and not in whole bytes of anything.
    first = whole.cycles // 2 - 77
    part = record(program, codebook.codewords, images, [PE], (first, first + 203))
    assert (part.first, part.cycles, part.instances) == (first, 203, (PE,))
    for name, values in part.values(PE).items():
        np.testing.assert_array_equal(values, whole.values(PE)[name][first:first + 203])


def test_instances_of_the_design() -> None:
    need_headers()
    program, codebook, _ = recorded_program()
    modules = list(design_instances(program, codebook.codewords).values())
    assert modules.count("processing_element") == TINY.columns * TINY.rows // TINY.subvector
    assert modules.count("codebook_rom") == TINY.decode_ports


@pytest.mark.parametrize(("scopes", "window", "message"), [
    ([], None, "at least one instance"),
    ([f"{PE}x"], None, f"one of .*{PE}.*, not '{PE}x'"),
    ([PE], (5, 5), r"a later one, not \(5, 5\)"),
    ([PE], (0, 10**6), r"within the program's cycles, not \(0, 1000000\), of which it has \d+"),
])
def test_what_cannot_be_recorded(scopes: list[str], window: tuple[int, int] | None,
                                 message: str) -> None:
    need_headers()
    program, codebook, images = recorded_program()
    with pytest.raises(VqromError, match=message):
        record(program, codebook.codewords, images, scopes, window)


def test_instances_that_were_not_recorded() -> None:
    with pytest.raises(VqromError, match=f"one of vqrom, .*, not '{PE}_0'"):
        whole_recording().values(f"{PE}_0")


@pytest.mark.parametrize(("text", "message"), [
    ("module a (x);\n  input [3:1] x;\nendmodule\n", "form that Yosys writes"),
    ("module a (x);\n  b b_0 (\n  );\nendmodule\n", "must hold module 'b'")])
def test_verilog_of_an_unknown_form(text: str, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        read_modules(text)
