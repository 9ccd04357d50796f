"""AXI4 and AXI4-Lite signals under their AMBA names, as members for component signatures."""

from amaranth.lib.wiring import In, Member, Out

ADDRESS_BITS = 32
BOUNDARY = 4096
"""No burst crosses an address that is a multiple of this (AXI4 specification, A3.4.1)."""
INCR = 1
CSR_ADDRESS_BITS = 12


def axi4_read_members(prefix: str, bus_width: int) -> dict[str, Member]:
    """Read channels of an AXI4 manager without ID: in-order, INCR bursts of full beats."""
    members = {
        "arvalid": Out(1), "arready": In(1), "araddr": Out(ADDRESS_BITS), "arlen": Out(8),
        "arsize": Out(3), "arburst": Out(2), "arcache": Out(4), "arprot": Out(3),
        "rvalid": In(1), "rready": Out(1), "rdata": In(bus_width), "rresp": In(2), "rlast": In(1),
    }
    return {prefix + name: member for name, member in members.items()}


def axi4_write_members(prefix: str, bus_width: int) -> dict[str, Member]:
    """Write channels of an AXI4 manager without ID: in-order, INCR bursts of full beats."""
    members = {
        "awvalid": Out(1), "awready": In(1), "awaddr": Out(ADDRESS_BITS), "awlen": Out(8),
        "awsize": Out(3), "awburst": Out(2), "awcache": Out(4), "awprot": Out(3),
        "wvalid": Out(1), "wready": In(1), "wdata": Out(bus_width), "wstrb": Out(bus_width // 8),
        "wlast": Out(1), "bvalid": In(1), "bready": Out(1), "bresp": In(2),
    }
    return {prefix + name: member for name, member in members.items()}


def axi4lite_members(prefix: str) -> dict[str, Member]:
    """An AXI4-Lite subordinate with 32-bit data."""
    members = {
        "awvalid": In(1), "awready": Out(1), "awaddr": In(CSR_ADDRESS_BITS), "awprot": In(3),
        "wvalid": In(1), "wready": Out(1), "wdata": In(32), "wstrb": In(4),
        "bvalid": Out(1), "bready": In(1), "bresp": Out(2),
        "arvalid": In(1), "arready": Out(1), "araddr": In(CSR_ADDRESS_BITS), "arprot": In(3),
        "rvalid": Out(1), "rready": In(1), "rdata": Out(32), "rresp": Out(2),
    }
    return {prefix + name: member for name, member in members.items()}
