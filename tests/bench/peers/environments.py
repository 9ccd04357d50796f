"""An environment for each of the other simulators, under ``build/peers``."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from vqrom_hw.errors import VqromError

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "build" / "peers"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """A simulator of others.

    Members
    -------
    name:
        Its name here, of its worker and of its list of requirements.
    title:
        What the table calls it.
    python:
        The oldest Python that its requirements run on.
    """

    name: str
    title: str
    python: tuple[int, int]

    @property
    def worker(self) -> Path:
        """Its worker's script."""
        return HERE / f"{self.name}_worker.py"

    @property
    def requirements(self) -> Path:
        """Its pinned packages, in pip's format."""
        return HERE / "requirements" / f"{self.name}.txt"


PEERS = {peer.name: peer for peer in (
    Peer("scalesim", "SCALE-Sim 3.0.0", (3, 11)),
    Peer("zigzag", "ZigZag 3.9.1", (3, 11)),
    Peer("accelforge", "AccelForge 1.0.467", (3, 12)))}
"""The other simulators by name."""


def version_of(python: str) -> tuple[int, int]:
    """Major and minor version of an interpreter; ``VqromError`` if it does not run."""
    try:
        answer = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], check=True,
            capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise VqromError(f"python must be an interpreter that runs, not {python!r}") from None
    major, minor = map(int, answer.split())
    return major, minor


def find_python(peer: Peer, wished: str | None) -> str:
    """The interpreter for a simulator: the wished one, or the first that is new enough.

    Raises
    ------
    VqromError
        If there is none.
    """
    newer = (shutil.which(f"python3.{minor}") for minor in range(peer.python[1], 20))
    for python in [wished] if wished else [sys.executable, *newer]:
        if python and version_of(python) >= peer.python:
            return python
    oldest = ".".join(map(str, peer.python))
    raise VqromError(f"{peer.name} must have Python {oldest} or newer, and "
                     + (f"{wished!r} is older" if wished else "none is on the path"))


def install(python: str, requirements: Path) -> None:
    """Install a list of packages into the environment of ``python``.

    Raises
    ------
    VqromError
        If pip fails; the line is the last of its errors.
    """
    done = subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet",
                           "--disable-pip-version-check", "--requirement", str(requirements)],
                          check=False, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise VqromError(f"{requirements.stem} must be installable by pip: "
                         f"{lines[-1] if lines else 'no reason given'}")


def environment(peer: Peer, wished: str | None = None) -> Path:
    """The interpreter of a simulator's environment, which is made if it is not there.

    Parameters
    ----------
    peer:
        The simulator.
    wished:
        The interpreter to make it with; by default this one, or a newer one on the path.

    Raises
    ------
    VqromError
        If no interpreter is new enough, or a package cannot be installed.
    """
    folder = BUILD / peer.name
    python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    digest = hashlib.sha256(peer.requirements.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return python
    base = find_python(peer, wished)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    install(str(python), peer.requirements)
    stamp.write_text(digest, encoding="utf-8")
    return python
