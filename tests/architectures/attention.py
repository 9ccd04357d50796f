"""Networks with attention, or in its place: ViT, transformer encoders, MLP-Mixer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

SMALL = (1, 3, 16, 16)


class Attention(nn.Module):
    """Attention of several heads whose queries, keys and values come from one linear layer."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.mix_in, self.mix_out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        parts = self.mix_in(x).reshape(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (query * (width // self.heads) ** -0.5) @ key.transpose(-2, -1)
        mixed = scores.softmax(-1) @ value
        return self.mix_out(mixed.transpose(1, 2).reshape(batch, length, width))


class VisionBlock(nn.Module):
    """A transformer block with norms first."""

    def __init__(self, width: int, heads: int, inside: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.inner, self.outer = nn.Linear(width, inside), nn.Linear(inside, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.outer(F.gelu(self.inner(self.norm2(x))))


class VisionTransformer(nn.Module):
    """Patches, a class token, learnt positions, and a linear layer on the class token.

    Images have ``patches`` patches of ``patch`` x ``patch`` pixels.
    """

    def __init__(self, width: int = 16, patch: int = 4, patches: int = 16, blocks: int = 2,
                 heads: int = 4, inside: int = 32, classes: int = 10):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, patches + 1, width))
        self.blocks = nn.Sequential(*(VisionBlock(width, heads, inside) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class Mixer(nn.Module):
    """Linear layers over tokens and over channels in turn."""

    def __init__(self, tokens: int, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(tokens, 32), nn.GELU(), nn.Linear(32, tokens))
        self.channels = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class MixerNetwork(nn.Module):
    """Patches, mixers, and the mean over all tokens."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.mixers = nn.Sequential(Mixer(16, 16), Mixer(16, 16))
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.mixers(self.patches(x).flatten(2).transpose(1, 2))
        return self.head(self.norm(x).mean(1))


class Encoder(nn.Module):
    """PyTorch's own encoder layers, with positions, and the mean over the sequence."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.positions = nn.Parameter(torch.randn(12, 16))
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(x + self.positions).mean(1))


FAMILIES = {"ViT": (VisionTransformer, SMALL), "MLP-Mixer": (MixerNetwork, SMALL),
            "transformer encoder": (Encoder, (1, 12, 16))}
