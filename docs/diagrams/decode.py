"""Decode: from packed indices to the shadow registers, with the numbers of the preset ``tiny``."""

from __future__ import annotations

from vqrom_hw.config import AcceleratorConfig, load_config

from .drawing import Drawing

DESCRIPTION = (
    "Indices lie packed in a packet. The unpacker cuts two indices a cycle out of the bus "
    "beats. Each goes to one port of the codebook ROM, which gives a codeword. The loader "
    "writes the codewords into the shadow registers of two processing elements in each step; "
    "four steps fill all eight.")
"""What a screen reader says."""

CELL = 62


def picture() -> Drawing:
    """Draw the way from packed indices to codewords in the PEs."""
    config = load_config("tiny")
    d = Drawing(780, 420, "Index decode", DESCRIPTION)
    _packet(d, config)
    _ports(d, config)
    _registers(d, config)
    return d


def _packet(d: Drawing, config: AcceleratorConfig) -> None:
    width = 26
    d.text(20, 28, f"index packet in DRAM: one beat has {config.bus_width} bits, which is "
           f"{config.bus_width // config.index_width} indices of {config.index_width} bits",
           size=13, anchor="start", bold=True)
    for number in range(24):
        d.cell(20 + number * width, 40, width, 26, "weight", str(number), 11)
    d.text(652, 58, "...", size=14, anchor="start")
    for beat in range(3):
        left = 20 + 8 * width * beat
        d.line(((left + 3, 76), (left + 8 * width - 3, 76)))
        d.text(left + 4 * width, 92, f"beat {beat}", size=11, soft=True)
    d.arrow((124, 100), (124, 128))
    d.box(34, 128, 180, 50, ("Weight FIFO", "filled ahead by FETCH"), "memory")
    d.arrow((214, 153), (252, 153))
    d.box(252, 128, 190, 50, ("Unpacker", "fields without a gap"), "weight")


def _ports(d: Drawing, config: AcceleratorConfig) -> None:
    for port in range(config.decode_ports):
        y = 216 + 96 * port
        x = 300 + 80 * port
        d.line(((x, 178), (x, y + 28 if port == 0 else 200)))
        if port:
            d.line(((x, 200), (226, 200), (226, y + 28)))
            d.arrow((226, y + 28), (244, y + 28))
        else:
            d.line(((x, 178), (x, 196)))
            d.arrow((x, 196), (x, y))
        d.box(244, y, 156, 56, (f"Codebook ROM, port {port}",
                                f"{config.codewords} × {config.codeword_width} bits"), "weight",
              size=11.5)
        d.text(409, y + 20, "codeword", size=11, soft=True, anchor="start")
        d.arrow((400, y + 28), (478, y + 28))
    d.text(20, 246, "Each cycle, as many", size=12, anchor="start", soft=True)
    d.text(20, 263, "indices as the codebook", size=12, anchor="start", soft=True)
    d.text(20, 280, "has ports are looked up", size=12, anchor="start", soft=True)
    d.text(20, 297, f"(here {config.decode_ports}). A tile takes", size=12, anchor="start",
           soft=True)
    d.text(20, 314, f"{config.fill_steps} steps.", size=12, anchor="start", soft=True)


def _registers(d: Drawing, config: AcceleratorConfig) -> None:
    left, top = 500, 206
    d.region(478, 128, 290, 284, "shadow registers of the array")
    d.text(left, 176, "output channels (columns)", size=12, anchor="start")
    d.arrow((left + 168, 172), (left + 244, 172))
    for number in range(config.processing_elements):
        row, column = divmod(number, config.columns)
        step, port = divmod(number, config.decode_ports)
        x, y = left + column * CELL, top + row * (CELL + 6)
        d.box(x, y, CELL - 4, CELL, (f"PE {number}", f"step {step}", f"port {port}"),
              "data" if (step + row) % 2 else "memory", size=12)
    d.text(left, 362, f"two PE rows: sub-vectors of {config.subvector}", size=12, anchor="start")
    d.text(left, 379, "input channels, side by side", size=12, anchor="start")
    d.text(left, 400, "Neighbours of one colour are filled together.", size=11, anchor="start",
           soft=True, room=250)


def draw() -> str:
    """The drawing as SVG."""
    return picture().svg()
