"""AXI4 and AXI4-Lite ports under the names that the AMBA specification gives them.

Each bus is described twice: as members, from which Amaranth makes the ports of a component, and as
a class of annotations, from which type checkers know the attributes. A component that has the ports
inherits the class.
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from vqrom_hw.isa import REGISTER_ADDRESS_BITS

ADDRESS_BITS = 32
"""Bits of a byte address on the AXI4 bus."""
BOUNDARY = 4096
"""No burst crosses an address that is a multiple of this (AXI4 specification, A3.4.1)."""
INCR = 1
"""The burst type whose addresses increase from beat to beat: ``arburst`` and ``awburst``."""
BUFFERABLE = 0b0011
"""``arcache`` and ``awcache``: normal, non-cacheable, bufferable memory, so that an interconnect
may merge transfers (AXI4 specification, table A4-5)."""


class Axi4ReadPorts:
    """Attributes of a component with :func:`axi4_read_members` under no prefix."""

    arvalid: Signal
    arready: Signal
    araddr: Signal
    arlen: Signal
    arsize: Signal
    arburst: Signal
    arcache: Signal
    arprot: Signal
    rvalid: Signal
    rready: Signal
    rdata: Signal
    rresp: Signal
    rlast: Signal


class Axi4WritePorts:
    """Attributes of a component with :func:`axi4_write_members` under no prefix."""

    awvalid: Signal
    awready: Signal
    awaddr: Signal
    awlen: Signal
    awsize: Signal
    awburst: Signal
    awcache: Signal
    awprot: Signal
    wvalid: Signal
    wready: Signal
    wdata: Signal
    wstrb: Signal
    wlast: Signal
    bvalid: Signal
    bready: Signal
    bresp: Signal


class Axi4LitePorts:
    """Attributes of a component with :func:`axi4lite_members` under no prefix."""

    awvalid: Signal
    awready: Signal
    awaddr: Signal
    awprot: Signal
    wvalid: Signal
    wready: Signal
    wdata: Signal
    wstrb: Signal
    bvalid: Signal
    bready: Signal
    bresp: Signal
    arvalid: Signal
    arready: Signal
    araddr: Signal
    arprot: Signal
    rvalid: Signal
    rready: Signal
    rdata: Signal
    rresp: Signal


def axi4_read_members(prefix: str, bus_width: int) -> dict[str, Member]:
    """Read channels of an AXI4 manager without ID: in-order, INCR bursts of full beats.

    Parameters
    ----------
    prefix:
        What every name begins with, for example ``m_axi_``.
    bus_width:
        Bits of a data beat.
    """
    members = {
        "arvalid": Out(1), "arready": In(1), "araddr": Out(ADDRESS_BITS), "arlen": Out(8),
        "arsize": Out(3), "arburst": Out(2), "arcache": Out(4), "arprot": Out(3),
        "rvalid": In(1), "rready": Out(1), "rdata": In(bus_width), "rresp": In(2), "rlast": In(1),
    }
    return {prefix + name: member for name, member in members.items()}


def axi4_write_members(prefix: str, bus_width: int) -> dict[str, Member]:
    """Write channels of an AXI4 manager without ID: in-order, INCR bursts of full beats.

    Parameters
    ----------
    prefix:
        What every name begins with, for example ``m_axi_``.
    bus_width:
        Bits of a data beat.
    """
    members = {
        "awvalid": Out(1), "awready": In(1), "awaddr": Out(ADDRESS_BITS), "awlen": Out(8),
        "awsize": Out(3), "awburst": Out(2), "awcache": Out(4), "awprot": Out(3),
        "wvalid": Out(1), "wready": In(1), "wdata": Out(bus_width), "wstrb": Out(bus_width // 8),
        "wlast": Out(1), "bvalid": In(1), "bready": Out(1), "bresp": In(2),
    }
    return {prefix + name: member for name, member in members.items()}


def axi4lite_members(prefix: str) -> dict[str, Member]:
    """All channels of an AXI4-Lite subordinate with 32-bit data.

    Parameters
    ----------
    prefix:
        What every name begins with, for example ``s_axil_``.
    """
    members = {
        "awvalid": In(1), "awready": Out(1), "awaddr": In(REGISTER_ADDRESS_BITS), "awprot": In(3),
        "wvalid": In(1), "wready": Out(1), "wdata": In(32), "wstrb": In(4),
        "bvalid": Out(1), "bready": In(1), "bresp": Out(2),
        "arvalid": In(1), "arready": Out(1), "araddr": In(REGISTER_ADDRESS_BITS), "arprot": In(3),
        "rvalid": Out(1), "rready": In(1), "rdata": Out(32), "rresp": Out(2),
    }
    return {prefix + name: member for name, member in members.items()}


def connect_prefixed(m: Module, outer: wiring.Component, prefix: str, inner: wiring.Component,
                     members: dict[str, Member]) -> None:
    """Hand ports of a component through to the component around it, which prefixes their names.

    ``wiring.connect`` would do this for an interface, but an interface puts a double underscore
    into each name, and interconnect tools know AXI ports by their exact names.

    Parameters
    ----------
    outer, inner:
        The component whose ports are ``prefix + name``, and the one inside whose ports are
        ``name``.
    members:
        The ports to connect, as ``inner`` has them.
    """
    for name, member in members.items():
        there: Any = getattr(outer, prefix + name)
        here: Any = getattr(inner, name)
        m.d.comb += there.eq(here) if member.flow == Out else here.eq(there)
