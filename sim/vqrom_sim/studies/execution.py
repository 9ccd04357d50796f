"""Where work is done: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.io import source_digest

from .work import Outcome, Work, perform

CONNECT_SECONDS = 10
"""How long a cluster has to answer."""
IN_FLIGHT = 4
"""Works that are sent ahead for each worker."""
DASK_REMEDY = "pip install 'vqrom[dask]'"


class Crew(Protocol):
    """Whoever does work."""

    def outcomes(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """What became of each work, in the order in which they end."""
        ...


class Alone:
    """This process, one work after the other."""

    def outcomes(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """What became of each work, in order."""
        return map(perform, works)


class Several:
    """Workers behind an executor; one that dies takes down nothing but the work that killed it.

    Parameters
    ----------
    make:
        Makes an executor with so many workers.
    workers:
        How many there are.
    """

    def __init__(self, make: Callable[[int], Executor], workers: int) -> None:
        self._make, self._workers = make, workers
        self._executor: Executor | None = None

    def outcomes(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """What became of each work, in the order in which they end."""
        waiting, running = list(reversed(works)), dict[Future[Outcome], Work]()
        suspects: list[Work] = []
        while waiting or running:
            while waiting and len(running) < IN_FLIGHT * self._workers and not suspects:
                work = waiting.pop()
                try:
                    running[self._submit(work, self._workers)] = work
                except BrokenExecutor:
                    suspects.append(work)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                work = running.pop(future)
                try:
                    yield future.result()
                except BrokenExecutor:
                    suspects.append(work)
                except Exception as error:
                    # Work itself raises nothing: the cluster lost it.
                    yield _lost(work, f"{type(error).__name__}: {error}")
            if suspects and not running:
                yield from self._one_by_one(suspects)
                suspects = []

    def close(self) -> None:
        """End the workers, and what they have not begun."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def _submit(self, work: Work, workers: int) -> Future[Outcome]:
        """Send work to an executor, which is made if there is none."""
        if self._executor is None:
            self._executor = self._make(workers)
        return self._executor.submit(perform, work)

    def _one_by_one(self, suspects: Sequence[Work]) -> Iterator[Outcome]:
        """One work at a time, since one of them ended the workers before: it will do so again."""
        self.close()
        for work in suspects:
            try:
                yield self._submit(work, 1).result()
            except BrokenExecutor:
                self.close()
                yield _lost(work, "memory may have been short")
        self.close()


def _lost(work: Work, why: str) -> Outcome:
    return Outcome(work.key, work.label, None, "the worker ended before its result was there: "
                   + " ".join(why.split()), False, 0.0)


@contextmanager
def crew_of(workers: int | None, scheduler: str | None) -> Iterator[Crew]:
    """Whoever does the work of a study, for as long as the block runs.

    Parameters
    ----------
    workers:
        Processes on this machine; 1 works in this process. By default as many as it has processors
        for this process.
    scheduler:
        Address of a Dask scheduler, whose workers are taken instead.

    Raises
    ------
    VqromError
        If there are to be no workers, or the cluster is not there or runs other code.
    """
    if scheduler is not None:
        with _cluster(scheduler) as crew:
            yield crew
        return
    count = len(os.sched_getaffinity(0)) if workers is None else workers
    if count < 1:
        raise VqromError(f"workers must be at least 1, not {count!r}")
    if count == 1:
        yield Alone()
        return
    several = Several(_pool, count)
    try:
        yield several
    finally:
        several.close()


def _pool(workers: int) -> Executor:
    # Not forked: threads of PyTorch and numba do not survive that.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)


def _begin() -> None:
    """Prepare a worker process: one thread, and an end when its parent ends, even by a kill."""
    torch.set_num_threads(1)
    # What is imported by now stays; the garbage collector need not look through it again and again.
    gc.freeze()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()


def code_digest() -> str:
    """Of all of vqrom's code that measures, and the versions of what it uses."""
    return source_digest("vqrom_sim.studies.measures", __name__)


@contextmanager
def _cluster(address: str) -> Iterator[Crew]:
    client = _connect(address)
    try:
        own = code_digest()
        answers: dict[str, Any] = client.run(code_digest)
        if not answers:
            raise VqromError(f"scheduler {address!r} must have workers; it has none")
        for worker, digest in sorted(answers.items()):
            if digest != own:
                raise VqromError(f"worker {worker!r} must have the same vqrom and libraries as "
                                 "this machine")
        yield Several(lambda workers: client.get_executor(pure=False), len(answers))
    finally:
        client.close()


def _connect(address: str) -> Any:
    try:
        # Optional: only a cluster needs it.
        from distributed import Client  # noqa: PLC0415
    except ImportError:
        raise VqromError(f"package 'distributed' must be installed for a scheduler: "
                         f"{DASK_REMEDY}") from None
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise VqromError(f"scheduler must be the address of a Dask scheduler that answers within "
                         f"{CONNECT_SECONDS} seconds, not {address!r}: "
                         f"{str(error).splitlines()[0] if str(error) else 'no answer'}") from None
