"""Progressive network construction: assignments are trained, and frozen one after the other.

At first every sub-vector may still take any of its candidates. Its logits are trained and sharpened
step by step, and when one candidate has nearly all of the ratio, the choice is frozen, so that what
is still open can adapt to it. In the end all are frozen (VQ4ALL, arXiv 2412.06875, sections 4.2 and
4.3). The float network teaches; labels are not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.progress import Progress

from .augment import Augment, augmented
from .checkpoint import Checkpoint
from .construction import Construction
from .teacher import Teacher

SETTLED = 256
"""Inputs whose statistics are taken when a state is judged on inputs kept back."""


@dataclass(frozen=True)
class ConstructionSettings:
    """How long a construction is trained, how fast, and when its choices become final.

    Members
    -------
    epochs:
        Passes over the images; with 0 nothing is trained and the first codewords stay.
    batch:
        Images of a step.
    candidates:
        Number of codewords that a sub-vector chooses among.
    logit_rate:
        Adam's step for logits; it falls to 0 along half a cosine.
    weight_rate:
        Adam's step for batch norm and raw weights; it falls in the same way.
    decision:
        Weight at the end of the regulariser ``sum r (1 - r)``; it grows linearly from 0.
    sharpness:
        Factor on the logits at the end; it grows linearly from 1.
    threshold:
        Ratio from which a sub-vector is frozen; above 1, none is before the end.
    seed:
        Seed of the order of images.
    augment:
        How images are varied in each step; not ``AUTO``.
    """

    epochs: int = 9
    batch: int = 100
    candidates: int = 4
    logit_rate: float = 2e-2
    weight_rate: float = 1e-3
    decision: float = 0.02
    sharpness: float = 20.0
    threshold: float = 0.99
    seed: int = 0
    augment: Augment = Augment.NONE

    def sharpness_at(self, position: float) -> float:
        """Compute the factor on the logits at a position of the run, from 0 to 1."""
        return 1 + (self.sharpness - 1) * position


def construct(construction: Construction, images: torch.Tensor, settings: ConstructionSettings, *,
              labels: torch.Tensor | None = None, held_back: torch.Tensor | None = None,
              checkpoint: Path | None = None, device: str = "cpu",
              progress: Progress | None = None) -> None:
    """Train a construction in place, until every sub-vector is frozen.

    If there are inputs kept back, the state after the epoch with the least loss on them is taken.

    Parameters
    ----------
    construction:
        What to train; it is on the CPU afterwards.
    images:
        float32 ``[N, C, H, W]`` inputs to train on.
    settings:
        How long, how fast, and when choices become final.
    labels:
        int64 ``[N]``, if the true classes shall teach, too.
    held_back:
        float32 ``[M, C, H, W]`` inputs that are not trained on.
    checkpoint:
        File that holds the state while this runs. If it exists, training goes on from there, and
        ends as if it had never stopped.
    device:
        PyTorch's name of the device to train on, ``"cuda"`` or ``"cpu"``.
    progress:
        Called after each step with what is being done, steps done, and steps in all.

    Raises
    ------
    VqromError
        If the loss is no longer finite, or the checkpoint belongs to another run.
    """
    construction.to(device).train()
    optimizer = _optimizer(construction, settings)
    per_epoch = -(-len(images) // settings.batch)
    steps = settings.epochs * per_epoch
    saved = Checkpoint(checkpoint, construction, optimizer, (settings, images, labels, held_back))
    first = saved.restore()
    teacher = None if settings.augment != Augment.NONE else Teacher(
        construction, images, settings.batch, device, progress)
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * cosine(step / steps)
        construction.sharpen(settings.sharpness_at(step / steps))
        part = _batch(step, per_epoch, len(images), settings)
        inputs = augmented(images[part], settings.augment, settings.seed * steps + step).to(device)
        wanted = construction.wanted(inputs) if teacher is None else teacher(part)
        loss = construction.loss(inputs, wanted, None if labels is None else
                                 labels[part].to(device))
        loss = loss + settings.decision * step / steps * construction.indecision()
        if not torch.isfinite(loss):
            raise VqromError(f"the loss must stay finite, but is {loss.item()!r} in step {step} "
                             f"of {steps}; try a lower rate")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        construction.freeze(settings.threshold)
        if held_back is not None and (step + 1) % per_epoch == 0:
            saved.offer(held_back_loss(construction, images[:SETTLED].to(device), held_back,
                                       settings.batch))
        if progress:
            progress("training assignments", step + 1, steps)
        saved.save(step + 1, last=step + 1 == steps)
    saved.take_best()
    construction.freeze(0.0)
    construction.to("cpu")


@torch.no_grad()
def held_back_loss(construction: Construction, first: torch.Tensor, held_back: torch.Tensor,
                   batch: int) -> float:
    """The distillation loss as it would be if training ended now; the construction goes on then.

    Parameters
    ----------
    construction:
        What is trained.
    first:
        float32 ``[N, C, H, W]`` inputs trained on, whose statistics are taken.
    held_back:
        float32 ``[M, C, H, W]`` others.
    batch:
        Inputs that are run at once.
    """
    construction.settle(first)
    total = 0.0
    for part in held_back.split(batch):
        inputs = part.to(first.device)
        total += construction.loss(inputs, construction.wanted(inputs)).item() * len(part)
    construction.train()
    return total / len(held_back)


def cosine(position: float) -> float:
    """Fall from 1 at position 0 to 0 at position 1 along half a cosine."""
    return 0.5 * (1 + torch.cos(torch.tensor(position * torch.pi)).item())


def _optimizer(construction: Construction, settings: ConstructionSettings) -> torch.optim.Adam:
    """Make the optimiser: logits have one peak rate, all other parameters another."""
    logits = [layer.logits for layer in construction.assigned]
    known = {id(parameter) for parameter in logits}
    others = [parameter for parameter in construction.parameters() if id(parameter) not in known]
    groups = [{"params": logits, "peak": settings.logit_rate},
              {"params": others, "peak": settings.weight_rate}]
    return torch.optim.Adam([group for group in groups if group["params"]], lr=0.0)


def _batch(step: int, per_epoch: int, count: int, settings: ConstructionSettings) -> torch.Tensor:
    """Return the numbers of a step's images; each epoch has an order of its own, by the seed."""
    epoch, part = divmod(step, per_epoch)
    generator = torch.Generator().manual_seed(settings.seed + epoch)
    return torch.randperm(count, generator=generator).split(settings.batch)[part]
