"""The accelerator on AXI buses with random back-pressure, and what it may do there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.placed_network import PlacedNetwork
from tests.random_networks import NetworkBuilder
from tests.sim.engines.rtl.axi_bench import CODEBOOK, Run, placed, simulate, watched_fields
from tests.sim.engines.rtl.axi_monitor import AxiMonitor
from vqrom_hw.bus import OUTSTANDING_READS as READS
from vqrom_hw.bus import OUTSTANDING_WRITES as WRITES
from vqrom_hw.bus.axi import INCR
from vqrom_hw.isa import ErrorCode

LIMIT = 60_000
DONE = 0b010


def strips() -> NetworkBuilder:
    """Maps in strips, one of them spilled; all units at work."""
    net = NetworkBuilder(CODEBOOK, (9, 8, 3), 3)
    net.conv(20, padding=(1, 1, 1, 1))
    pooled = net.max_pool()
    main = net.conv(12, padding=(1, 1, 1, 1))
    shortcut = net.conv(12, (1, 1), source=pooled, raw=True)
    net.add(main, shortcut)
    net.conv(12, padding=(1, 1, 1, 1), groups=12)
    net.average_pool()
    net.linear(10)
    return net


def long_store() -> NetworkBuilder:
    """One STORE of more bursts than may be under way: a row is one long one."""
    net = NetworkBuilder(CODEBOOK, (1, 36, 4), 4)
    net.conv(16, (1, 1))
    return net


@pytest.mark.parametrize(("build", "seed", "rates"), [
    pytest.param(strips, 0, (0.0,), id="no back-pressure"),
    pytest.param(strips, 1, (0.0, 0.5, 0.9), id="some"),
    pytest.param(strips, 2, (0.5, 0.97), id="much"),
    pytest.param(strips, 3, (0.0, 1.0), id="stretches"),
    pytest.param(long_store, 4, (0.5, 0.97), id="stores, much"),
])
def test_right_bytes_under_back_pressure(tmp_path: Path, build: Callable[[], NetworkBuilder],
                                         seed: int, rates: tuple[float, ...]) -> None:
    """Twice in a row; with each seed bursts lie elsewhere against the 4 KiB boundaries."""
    check_run(placed(build(), 64 * (61 * seed + 1)), tmp_path, seed, rates)


def test_as_many_bursts_under_way_as_documented(tmp_path: Path) -> None:
    """Channels that stand still for long: both numbers are reached, and never exceeded."""
    result = check_run(placed(long_store()), tmp_path, 4, (0.0, 1.0))
    assert result["deepest"] == {"ar": READS, "aw": WRITES}


def check_run(work: PlacedNetwork, folder: Path, seed: int,
              rates: tuple[float, ...]) -> dict[str, Any]:
    """Two runs without a violation, each with the bytes of the integer reference."""
    result = simulate(folder, work.image, [Run(work.csr)] * 2, seed, rates, LIMIT)
    assert result["violations"] == []
    for run in result["runs"]:
        assert (run["interrupt"], run["status"], run["error_code"]) == (True, DONE, ErrorCode.NONE)
        assert run["quiet"], "memory changes after the interrupt"
        np.testing.assert_array_equal(work.output(bytes.fromhex(run["memory"])), work.expected)
    assert result["interrupt"] == 0, "the interrupt is not cleared"
    return result


IDLE = {name: 0 for name, _ in watched_fields()} | {
    "m_axi_rready": 1, "m_axi_bready": 1, "m_axi_arready": 1, "m_axi_awready": 1,
    "m_axi_wready": 1} | {f"m_axi_{channel}{signal}": value for channel in ("ar", "aw")
                          for signal, value in (("size", 3), ("burst", INCR))}
READ = [{"m_axi_arvalid": 1, "m_axi_araddr": 0x1000 - 16, "m_axi_arlen": 1},
        {"m_axi_rvalid": 1}, {"m_axi_rvalid": 1, "m_axi_rlast": 1}]
WRITE = [{"m_axi_awvalid": 1, "m_axi_awaddr": 64, "m_axi_awlen": 1},
         {"m_axi_wvalid": 1, "m_axi_wdata": 5}, {"m_axi_wvalid": 1, "m_axi_wlast": 1},
         {"m_axi_bvalid": 1}]
STALL = {"m_axi_arready": 0, "m_axi_awready": 0, "m_axi_wready": 0}
LITE = {"s_axil_rvalid": 1, "s_axil_rdata": 7}


def violations(cycles: list[dict[str, int]]) -> str:
    """What the monitor says of a trace: what is not mentioned is idle."""
    monitor = AxiMonitor(8, 16)
    for cycle in cycles:
        monitor.cycle(IDLE | cycle)
    monitor.finish()
    return "\n".join(monitor.violations)


def test_monitor_accepts_good_traffic() -> None:
    assert violations([*READ, *WRITE, LITE, LITE | {"s_axil_rready": 1}]) == ""
    assert violations([READ[0] | STALL, *READ, WRITE[0], WRITE[1] | STALL, *WRITE[1:]]) == ""


@pytest.mark.parametrize(("cycles", "rule"), [
    ([READ[0] | STALL, READ[0] | {"m_axi_arlen": 0}, *READ[1:]], "arlen changes before"),
    ([READ[0] | STALL, {}], "arvalid changes before"),
    ([WRITE[0], WRITE[1] | STALL, WRITE[1] | {"m_axi_wdata": 6}, *WRITE[2:]], "wdata changes"),
    ([LITE, LITE | {"s_axil_rdata": 8}], "s_axil_rdata changes"),
    ([READ[0] | {"m_axi_araddr": 0x1000 - 8}, *READ[1:]], "crosses 4 KiB"),
    ([READ[0] | {"m_axi_araddr": 4}, *READ[1:]], "addr is not that of a beat"),
    ([READ[0] | {"m_axi_arlen": 16}], "above max_burst_beats"),
    ([READ[0] | {"m_axi_arburst": 0}, *READ[1:]], "not INCR"),
    ([READ[0] | {"m_axi_arsize": 2}, *READ[1:]], "size is not a beat"),
    ([READ[0], READ[2], READ[1]], "rlast is misplaced"),
    ([READ[0], READ[1] | {"m_axi_rready": 0}, *READ[1:]], "read data must wait"),
    ([READ[1]], "nobody asked for"),
    (READ[:2], "not been answered whole"),
    ([READ[0]] * 9, "more reads under way"),
    ([WRITE[0]] * 9, "more writes under way"),
    ([WRITE[0], WRITE[2], WRITE[1]], "wlast is misplaced"),
    ([*WRITE, WRITE[1]], "beyond the bursts"),
    (WRITE[:2], "lacks beats"),
    (WRITE[:3], "not been acknowledged"),
    ([*WRITE[:2], WRITE[3], WRITE[2]], "before its last beat"),
])
def test_monitor_finds(cycles: list[dict[str, int]], rule: str) -> None:
    assert rule in violations(cycles)
