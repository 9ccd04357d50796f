"""Additive codebooks: sums of rows of tables, fitted, stored, used and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.random_networks import NetworkBuilder
from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import Extraction, UniversalCodebook, extract_codebook
from vqrom_sw.codebook.codebook import sums_of
from vqrom_sw.codebook.extraction import cluster, fit_additive
from vqrom_sw.compress import compress
from vqrom_sw.formats import network_size
from vqrom_sw.importers import capture
from vqrom_sw.network import Conv, FloatNetwork
from vqrom_sw.reference.integer import layer_weights

TABLES = np.array([[[100, -100], [1, 2]], [[50, -50], [10, 20]]], np.int8)


@pytest.fixture(scope="module")
def network() -> FloatNetwork:
    torch.manual_seed(1)
    return capture(nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 1)).eval(),
                   torch.zeros(1, 4, 6, 6), "net")


def squared_error(samples: torch.Tensor, codewords: np.ndarray) -> float:
    return float(torch.cdist(samples, torch.from_numpy(codewords)).amin(1).square().mean())


def test_an_index_is_a_digit_for_each_table() -> None:
    codebook = UniversalCodebook.additive(TABLES)
    expected = [[127, -127], [110, -80], [51, -48], [11, 22]]
    np.testing.assert_array_equal(codebook.codewords, expected)
    assert (codebook.size, codebook.stages, codebook.rom_bytes) == (4, 2, 8)


def test_file_round_trip(tmp_path: Path) -> None:
    codebook = UniversalCodebook.additive(TABLES)
    path = tmp_path / "codebook.safetensors"
    codebook.save(path)
    loaded = UniversalCodebook.load(path)
    assert loaded.tables is not None
    np.testing.assert_array_equal(loaded.tables, TABLES)
    assert loaded.sha256 == codebook.sha256
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(VqromError, match="was altered"):
        UniversalCodebook.load(path)


def test_two_tables_are_nearer_than_one_of_as_many_rows() -> None:
    samples = torch.randn(3000, 4, generator=torch.Generator().manual_seed(2))
    tables = fit_additive(samples, 8, 2, torch.Generator().manual_seed(3))
    one = cluster(samples, 16, torch.Generator().manual_seed(3))
    assert squared_error(samples, sums_of(tables.numpy())) \
        < 0.8 * squared_error(samples, one.numpy())


def test_sums_of_hidden_tables_are_found() -> None:
    """Samples that are such sums exactly, with tables of well separated magnitudes."""
    generator = torch.Generator().manual_seed(4)
    hidden = torch.randn(2, 4, 4, generator=generator) * torch.tensor([10.0, 1.0])[:, None, None]
    samples = torch.from_numpy(sums_of(hidden.numpy())).repeat(40, 1)
    tables = fit_additive(samples, 4, 2, torch.Generator().manual_seed(5))
    assert squared_error(samples, sums_of(tables.numpy())) < 0.02 * samples.var()


def test_extraction_by_name_repeats(network: FloatNetwork) -> None:
    first, again = (extract_codebook([network], 4, 8, seed=7, method=Extraction.ADDITIVE)
                    for _ in range(2))
    assert first.sha256 == again.sha256
    assert first.stages == 2 and first.size == 64
    three = extract_codebook([network], 4, 4, method=Extraction.ADDITIVE, stages=3)
    assert three.stages == 3 and three.size == 64


def test_refusals(network: FloatNetwork) -> None:
    with pytest.raises(VqromError, match=r"stages of extraction 'kde' must be 1\.\.1, not 2"):
        extract_codebook([network], stages=2)
    with pytest.raises(VqromError, match=r"stages of extraction 'additive' must be 2\.\.4, not 1"):
        extract_codebook([network], method=Extraction.ADDITIVE, stages=1)
    with pytest.raises(VqromError, match=r"codewords must be 2\.\.256, not 512"):
        extract_codebook([network], codewords=512, method=Extraction.ADDITIVE)
    with pytest.raises(VqromError, match=r"must be at most 65536, not 300\*\*2"):
        UniversalCodebook.additive(np.zeros((2, 300, 4), np.int8))
    with pytest.raises(VqromError, match="tables must be int8"):
        UniversalCodebook.additive(np.zeros((2, 4), np.int8))


def test_the_reference_adds_rows(network: FloatNetwork) -> None:
    codebook = extract_codebook([network], 4, 8, method=Extraction.ADDITIVE)
    images = torch.randn(20, 4, 6, 6, generator=torch.Generator().manual_seed(6)).numpy()
    compressed = compress(network, codebook, images)
    layer = compressed.layers[0]
    assert isinstance(layer, Conv) and layer.indices is not None and codebook.tables is not None
    rows = codebook.tables[0][layer.indices // 8].astype(int) \
        + codebook.tables[1][layer.indices % 8]
    expected = np.clip(rows, -127, 127).reshape(8, 3, 3, 4).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(layer_weights(layer, compressed, codebook), expected)


def test_the_rom_holds_the_tables_alone() -> None:
    """2 x 4 rows of 4: 16 sums, 4-bit indices."""
    tables = np.arange(32, dtype=np.int8).reshape(2, 4, 4)
    codebook = UniversalCodebook.additive(tables)
    builder = NetworkBuilder(codebook, (4, 4, 8))
    builder.conv(6, (1, 1))
    size = network_size(builder.build(), codebook)
    assert size.rom == 32 and size.index == 6 * 2 * 4 // 8
