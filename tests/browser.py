"""Headless Chromium through its debugging pipe: open a page, ask it, photograph it, print it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
"""The browser; None where there is none."""


class Browser:
    """One page of a running Chromium; see :func:`open_browser`."""

    def __init__(self, read: BinaryIO, write: BinaryIO):
        self._read, self._write = read, write
        self._number, self._buffer, self._session = 0, b"", ""
        self.messages: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target,
                                  flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the Chrome DevTools protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def open(self, path: Path, width: int = 1280, height: int = 900, *, dark: bool = False,
             script: bool = True) -> None:
        """Open a file in a window of a size and wait until it is loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Emulation.setEmulatedMedia", media="", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=path.absolute().as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def settle(self) -> None:
        """Wait until pictures that are in view are drawn."""
        self.ask("new Promise(done => setTimeout(() => requestIdleCallback(done), 300))")

    def photograph(self, path: Path, *, whole: bool = False) -> None:
        """Write what the window shows, or the whole page, as a PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def print(self, path: Path) -> None:
        """Write the page as a PDF."""
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self.call("Browser.close")

    def _next(self) -> dict[str, Any]:
        """The next message; what the page logs is kept."""
        while b"\0" not in self._buffer:
            chunk = os.read(self._read.fileno(), 1 << 20)
            assert chunk, "the browser ended"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.messages.append(json.dumps(message["params"]))
        return message


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium with a profile of its own and without a network."""
    assert CHROMIUM, "chromium must be installed"
    (theirs_in, ours_out), (ours_in, theirs_out) = _pipe(), _pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
                   "--disable-dev-shm-usage", "--proxy-server=127.0.0.1:9",
                   f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        # The protocol's two ends are file descriptors 3 and 4 of the browser.
        process = os.posix_spawn(CHROMIUM, command, os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
        os.close(theirs_in)
        os.close(theirs_out)
        with os.fdopen(ours_in, "rb") as read, os.fdopen(ours_out, "wb") as write:
            browser = Browser(read, write)
            try:
                yield browser
            finally:
                browser.close()
        os.waitpid(process, 0)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are not among the descriptors that the browser expects."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]
