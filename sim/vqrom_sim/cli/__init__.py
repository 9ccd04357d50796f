"""The command line: arguments in, one function of ``vqrom_sim.flows`` called, tables out.

Each command is a module of this room, loaded when it is asked for, so that ``vqrom --help`` is
quick. What a command does is in the flows; here are its options, its bars and what it prints.
"""

import os
import signal
from types import FrameType

__all__ = ["main"]


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line.

    Ctrl-C while it is still being loaded ends it in one line, too. What a service sends to end a
    process (SIGTERM) ends it as Ctrl-C does, so that nothing half-written and no tool stays behind.
    """
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        from .main import main as run  # noqa: PLC0415 # loading it is what takes long

        run()
    except KeyboardInterrupt:
        os.write(2, b"vqrom: interrupted\n")
        os._exit(130)
