"""Writes that fail, processes that are killed while they write, and tools that are interrupted."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sw.io import cached_directory, run_group, scratch, write_bytes

_HOLD = """
import sys, time
from pathlib import Path
from vqrom_sw.io import scratch
with scratch(Path(sys.argv[1]), "out", folder=True) as folder:
    (folder / "half").write_text("x")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_what_a_killed_process_left_is_removed(tmp_path, holder):
    (tmp_path / ".out.settings").mkdir()  # Somebody's own.
    holder.kill()
    holder.wait()
    assert len(list(tmp_path.iterdir())) == 2
    with scratch(tmp_path, "out", folder=True):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".out.settings"]


def test_a_folder_in_use_stays_and_the_second_process_says_so(tmp_path, holder):
    with (pytest.raises(BlockingIOError, match="another process is writing it"),
          scratch(tmp_path, "out", folder=True)):
        pass
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_size_limit_is_one_line_and_leaves_the_old_file(tmp_path):
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(VqromError, match=r"out\.bin' cannot be written: File too large"):
            write_bytes(target, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == [target] and target.read_bytes() == b"old"


def test_a_cache_that_is_a_file_or_full_is_one_line(tmp_path, monkeypatch):
    def fill(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "cache"))
    with pytest.raises(VqromError, match=r"cache folder .* No space left"):
        cached_directory("kind", "key", fill)
    assert not [path for path in (tmp_path / "cache/kind").iterdir() if path.is_dir()]
    (tmp_path / "file").touch()
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "file"))
    with pytest.raises(VqromError, match="must be a folder that can be written"):
        cached_directory("kind", "key", fill)


def test_the_cache_drops_what_a_killed_build_left(tmp_path, monkeypatch):
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path))
    (tmp_path / "kind/key.abcdefgh").mkdir(parents=True)
    cached_directory("kind", "key", lambda folder: None)
    assert sorted(path.name for path in (tmp_path / "kind").iterdir() if path.is_dir()) == ["key"]


def test_an_interrupted_tool_takes_its_children_along(tmp_path):
    found = tmp_path / "pid"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_group(["sh", "-c", f"sleep 60 & echo $! > '{found}'; wait"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    child = Path("/proc") / found.read_text().strip() / "stat"
    for _ in range(50):
        if not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("the tool's child must not outlive it")
