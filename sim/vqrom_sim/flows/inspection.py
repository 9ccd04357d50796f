"""Look inside: what a codebook holds, what a network is made of, what the compiler makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import safe_open

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.errors import VqromError
from vqrom_sim.report import Bin, CodebookFacts, LayerFacts, NetworkFacts, kind_of
from vqrom_sw.compiler import CompilerListing, explain_network, host_reason
from vqrom_sw.network import Conv, Layer, QuantizedNetwork

from .arguments import (
    DEFAULT_CONFIG,
    CodebookLike,
    ConfigLike,
    NetworkLike,
    load_codebook,
    load_config,
    load_network,
)
from .compression import CODEBOOK_FILE

VALUE_BINS = np.arange(-128, 129, 16)
NORM_BINS = 12


def inspect_codebook(codebook: CodebookLike, networks: Sequence[NetworkLike] = ()
                     ) -> CodebookFacts:
    """What a codebook holds, and how often networks use each codeword.

    Parameters
    ----------
    codebook:
        A codebook or its file.
    networks:
        Networks that were compressed for it.

    Raises
    ------
    VqromError
        If a file cannot be read, or a network belongs to another codebook.
    """
    words = load_codebook(codebook)
    loaded = [load_network(network) for network in networks]
    uses = np.zeros(words.size, np.int64)
    for network in loaded:
        network.check_codebook(words.sha256)
        for layer in network.layers:
            if isinstance(layer, Conv) and layer.indices is not None:
                uses += np.bincount(layer.indices.ravel(), minlength=words.size)
    entries = words.codewords.astype(np.int64)
    norms = np.sqrt((entries ** 2).sum(1))
    return CodebookFacts(
        words.sha256, words.size, words.subvector, words.rom_bytes,
        index_width(words.size) / words.subvector,
        values=_histogram(entries.ravel(), VALUE_BINS),
        norms=_histogram(norms, np.linspace(0, max(float(norms.max()), 1.0), NORM_BINS + 1)),
        networks=tuple(network.name for network in loaded),
        uses=tuple(uses.tolist()) if loaded else ())


def inspect_network(network: NetworkLike, codebook: CodebookLike | None = None,
                    config: ConfigLike = DEFAULT_CONFIG) -> NetworkFacts:
    """The layers of a compressed network, with shapes, scales and sizes.

    Parameters
    ----------
    network:
        A network or its ``.vqnet`` file.
    codebook:
        Its codebook; a file says itself how many codewords that has.
    config:
        The accelerator, on which it depends which layers are the host's.

    Raises
    ------
    VqromError
        If a file cannot be read, the codebook is another one's, or it is not given with a network
        object that has indices.
    """
    loaded = load_network(network)
    codewords = None
    if loaded.indexed:
        codewords = _codewords(network, loaded, codebook)
    width = index_width(codewords) if codewords else 0
    quantization, accelerator = loaded.input_quantization, load_config(config)
    return NetworkFacts(
        loaded.name, accelerator.name, loaded.input_shape,
        {name: output.native.sizes
         for name, output in zip(loaded.output_names, loaded.outputs, strict=True)},
        quantization.scale, quantization.zero_point,
        loaded.codebook_sha256 if loaded.indexed else None, codewords,
        tuple(_layer_facts(loaded, layer, width, host_reason(layer, loaded, accelerator))
              for layer in loaded.layers))


def explain(network: NetworkLike, codebook: CodebookLike,
            config: ConfigLike = DEFAULT_CONFIG) -> CompilerListing:
    """What the compiler decides about a network: its stages, their plans, and every command.

    Parameters
    ----------
    network, codebook, config:
        As for :func:`vqrom_sim.flows.simulate`.

    Raises
    ------
    VqromError
        If a file cannot be read, the parts do not fit each other, or a layer does not fit the
        accelerator.
    """
    words = load_codebook(codebook)
    return explain_network(load_network(network), words.codewords, load_config(config, words))


def codebook_beside(network: Path) -> Path | None:
    """The codebook file in the folder of a network file, where ``compress`` writes it, or None."""
    path = network.parent / CODEBOOK_FILE
    return path if path.is_file() else None


def _codewords(given: NetworkLike, network: QuantizedNetwork,
               codebook: CodebookLike | None) -> int:
    """How many codewords the network's indices choose from."""
    if codebook is not None:
        words = load_codebook(codebook)
        network.check_codebook(words.sha256)
        return words.size
    if isinstance(given, QuantizedNetwork):
        raise VqromError(f"network {network.name!r} must come with its codebook, whose size fixes "
                         "the bits of an index")
    with safe_open(given, framework="numpy") as file:
        return int(json.loads(file.metadata()["graph"])["codewords"])


def _layer_facts(network: QuantizedNetwork, layer: Layer, width: int, reason: str) -> LayerFacts:
    encoding, bits = "", 0
    if isinstance(layer, Conv):
        if layer.indices is not None:
            encoding, bits = "indexed", layer.indices.size * width
        elif layer.raw is not None:
            encoding, bits = "raw", layer.raw.size * 8
    return LayerFacts(
        layer.name, kind_of(layer), layer.inputs, layer.shape,
        tuple(getattr(layer, "kernel", ())), tuple(getattr(layer, "stride", ())),
        network.weights_of(layer), encoding, bits, layer.quantization.scale,
        layer.quantization.zero_point, "host" if reason else "accelerator", reason)


def _histogram(values: np.ndarray, edges: np.ndarray) -> tuple[Bin, ...]:
    counts, _ = np.histogram(values, edges)
    return tuple(Bin(float(low), float(high), int(count))
                 for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True))
