"""The state of a construction in a file, from which an interrupted run goes on."""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import time
from collections.abc import Iterable
from pathlib import Path

import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.io import write_bytes

from .construction import Construction

MAX_BYTES = 1 << 34
"""Size in bytes from which a file is refused unread."""

INTERVAL_S = 30.0
"""Least time between two writes, in seconds."""


class Checkpoint:
    """The file that holds a construction's state, its optimiser's, and the number of the next step.

    It also holds a fingerprint of everything that the result depends on, so that a file of another
    run is refused and never continued by mistake.

    Parameters
    ----------
    path:
        File, or None to keep nothing.
    construction:
        The construction in its first state, whose codewords and weights go into the fingerprint.
    optimizer:
        Its optimiser.
    run:
        What else the result depends on: settings, inputs, labels.
    """

    def __init__(self, path: Path | None, construction: Construction,
                 optimizer: torch.optim.Optimizer, run: Iterable[object]):
        self._path = path
        self._construction = construction
        self._optimizer = optimizer
        self._last = time.monotonic()
        self._best: dict[str, torch.Tensor] = {}
        self._least = math.inf
        self._run = "" if path is None else fingerprint(
            [*run, *construction.state_dict().values()])

    def restore(self) -> int:
        """Take the state from the file, if there is one.

        Returns
        -------
        int
            The number of the step to go on with; 0 if there is no file.

        Raises
        ------
        VqromError
            If the file cannot be read or belongs to another run.
        """
        if self._path is None or not self._path.exists():
            return 0
        if self._path.stat().st_size > MAX_BYTES:
            raise VqromError(f"checkpoint {str(self._path)!r} must have at most {MAX_BYTES} bytes, "
                             f"not {self._path.stat().st_size}")
        try:
            state = torch.load(self._path, weights_only=True)
            run, step = state["run"], state["step"]
            least, best = float(state["least"]), dict(state["best"])
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError,
                pickle.UnpicklingError) as error:
            raise VqromError(f"checkpoint {str(self._path)!r} cannot be read; remove it to start "
                             f"afresh: {' '.join(str(error).split())[:200]}") from None
        if run != self._run:
            raise VqromError(f"checkpoint {str(self._path)!r} must belong to a run with the same "
                             "arguments; remove it to start afresh")
        self._construction.load_state_dict(state["construction"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._least, self._best = least, best
        return int(step)

    def offer(self, loss: float) -> None:
        """Remember the construction's state if its loss is the least so far."""
        if loss < self._least:
            self._least = loss
            self._best = {name: value.detach().clone()
                          for name, value in self._construction.state_dict().items()}

    def take_best(self) -> None:
        """Take the state of the least loss that was offered, if any was."""
        if self._best:
            self._construction.load_state_dict(self._best)

    def save(self, step: int, *, last: bool) -> None:
        """Write the state, whole or not at all, if enough time has passed since the last write.

        Parameters
        ----------
        step:
            Number of the next step.
        last:
            Whether no step follows; the state is written then in any case.
        """
        if self._path is None or not (last or time.monotonic() - self._last >= INTERVAL_S):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save({"run": self._run, "step": step, "least": self._least, "best": self._best,
                    "construction": self._construction.state_dict(),
                    "optimizer": self._optimizer.state_dict()}, buffer)
        write_bytes(self._path, buffer.getvalue())
        self._last = time.monotonic()


def fingerprint(parts: Iterable[object]) -> str:
    """Compute the SHA-256 of tensors' types, shapes and contents, and of the text of anything else.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, torch.Tensor):
            array = part.detach().cpu().contiguous().numpy()
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()
