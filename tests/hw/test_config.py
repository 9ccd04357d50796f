"""The configuration object: rules, derived figures, and files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hw.simulation import config_of
from vqrom_hw.config import PRESETS, AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError


@pytest.mark.parametrize(("codewords", "width"), [(2, 1), (3, 2), (20, 5), (256, 8), (257, 9),
                                                  (65536, 16)])
def test_index_width(codewords, width):
    assert config_of(codewords=codewords).index_width == width


@pytest.mark.parametrize(("rows", "bus_width", "unit"), [(6, 128, 8), (32, 128, 1), (8, 256, 4),
                                                         (16, 128, 1), (1, 64, 8)])
def test_feature_map_rows_are_whole_beats(rows, bus_width, unit):
    config = config_of(1, rows=rows, columns=1, decode_ports=1, post_lanes=1, bus_width=bus_width)
    assert config.row_unit == unit and unit * rows % config.beat_bytes == 0


def test_presets_have_the_size_of_their_name():
    assert load_config("edge16").peak_macs_per_cycle == 16 * 16
    assert load_config("edge32").peak_macs_per_cycle == 32 * 32


@given(st.sampled_from(sorted(PRESETS)), st.sampled_from([1, 2, 4, 8]), st.integers(2, 65536))
def test_presets_take_any_codebook_that_fits(preset, subvector, codewords):
    config = load_config(preset, subvector=subvector, codewords=codewords)
    assert config.pe_rows * config.subvector == config.rows
    assert 0 <= config.fill_steps * config.decode_ports - config.processing_elements \
        < config.decode_ports
    assert 1 << config.index_width >= config.codewords > 1 << config.index_width - 1 >> 1


@pytest.mark.parametrize(("field", "value", "rule"), [
    ("rows", 6, "rows must be a multiple of subvector 4, not 6"),
    ("columns", 3, "columns must divide rows 8, not 3"),
    ("post_lanes", 3, "post_lanes must divide columns 4, not 3"),
    ("decode_ports", 9, "decode_ports must be at most the number of PEs, 8, not 9"),
    ("vector_lanes", 3, "vector_lanes must divide rows 8, not 3"),
    ("activation_words", 66, "activation_words must be a multiple of activation_banks 4, not 66"),
    ("vector_fifo_beats", 4, "vector_fifo_beats must hold one burst of 8 beats, not 4"),
    ("weight_fifo_beats", 4, "weight_fifo_beats must hold one burst of 8 beats, not 4"),
    ("parameter_fifo_beats", 4, "parameter_fifo_beats must hold one burst of 8 beats, not 4"),
    ("subvector", 3, "subvector"), ("codewords", 1, "codewords"), ("bus_width", 96, "bus_width"),
    ("rows", 0, "rows"), ("dram_latency", 0, "dram_latency"), ("name", "", "name"),
    ("rows", "8", "rows"), ("colour", 1, "colour"), ("bus_width", 2048, "bus_width"),
    ("vector_moves", 1, "vector_moves"), ("vector_elementwise", "yes", "vector_elementwise"),
    ("vector_tables", "channel", "vector_tables"),
])
def test_each_rule(tmp_path, field, value, rule):
    file = tmp_path / "small.toml"
    values = config_of().model_dump() | {field: value}
    file.write_text("".join(f"{name} = {json.dumps(content)}\n"
                            for name, content in values.items()))
    with pytest.raises(VqromError) as caught:
        load_config(str(file))
    assert rule in str(caught.value) and "\n" not in str(caught.value)


def test_bursts_stay_in_a_page():
    with pytest.raises(ValueError, match="max_burst_beats must stay within 4096 bytes"):
        config_of(bus_width=512, max_burst_beats=128, weight_fifo_beats=128,
                  parameter_fifo_beats=128, vector_fifo_beats=128, activation_fifo_beats=128)


def test_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        config_of().rows = 3
    assert AcceleratorConfig(**config_of().model_dump()) == config_of()
