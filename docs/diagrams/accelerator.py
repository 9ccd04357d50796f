"""The accelerator: its units, what they read and write, and how they are told what to do."""

from __future__ import annotations

from .drawing import Drawing

DESCRIPTION = (
    "A host writes registers over AXI4-Lite. The read DMA fills five FIFOs from DRAM: "
    "commands, weights, parameters, activations, vector. Indices of the weights go through "
    "the codebook ROM into the processing array, whose sums are accumulated, requantised and "
    "written to the activation buffer, which the vector unit, LOAD and STORE use as well.")
"""What a screen reader says."""

CHANNELS = (("commands", 240), ("weights", 315), ("parameters", 398), ("activations", 484),
            ("vector", 566))


def picture() -> Drawing:
    """Draw the block diagram of the whole accelerator."""
    d = Drawing(780, 634, "The accelerator", DESCRIPTION)
    d.box(16, 12, 172, 44, "Host processor", "plain")
    d.box(222, 12, 542, 44, ("DRAM", "program, indices, parameters, feature maps"), "plain")
    d.region(8, 92, 764, 534)
    _control(d)
    _bus(d)
    _compute(d)
    _units(d)
    return d


def _control(d: Drawing) -> None:
    d.arrow((102, 56), (102, 108), both=True)
    d.text(112, 84, "AXI4-Lite", size=11, anchor="start", soft=True)
    d.box(24, 108, 156, 48, ("Registers", "and counters"), "control")
    d.arrow((102, 156), (102, 190))
    d.box(24, 190, 156, 48, ("Command processor", "checks, dispatches"), "control", 12)
    d.arrow((226, 214), (180, 214))
    d.arrow((102, 238), (102, 272))
    d.box(24, 272, 156, 150, "", "control")
    d.text(102, 292, "Command queues", size=13, bold=True)
    for number, name in enumerate(("weights", "array", "post", "vector", "load", "store")):
        d.cell(38, 304 + 18 * number, 128, 15, "plain", name, 10.5)
    for number in range(6):
        d.line(((166, 311.5 + 18 * number), (190, 311.5 + 18 * number)), dashed=True)
    d.line(((190, 311.5), (190, 401.5)), dashed=True)
    d.arrow((190, 382), (222, 382), dashed=True)
    d.text(208, 372, "to", size=10.5, soft=True)
    d.text(208, 399, "units", size=10.5, soft=True)
    d.text(102, 444, "A queue holds a", size=11, soft=True)
    d.text(102, 459, "command back until the", size=11, soft=True)
    d.text(102, 474, "commands that it waits", size=11, soft=True)
    d.text(102, 489, "for have finished.", size=11, soft=True)


def _bus(d: Drawing) -> None:
    d.arrow((415, 56), (415, 108), wide=True)
    d.text(426, 84, "AXI4", size=11, anchor="start", soft=True)
    d.box(214, 108, 400, 34, "Read DMA", "data")
    d.box(650, 108, 106, 34, "Write DMA", "data")
    d.arrow((703, 108), (703, 56), wide=True)
    for name, x in CHANNELS:
        d.cell(x - 34, 152, 68, 17, "plain", "", 10)
        d.text(x, 164.5, name, size=10.5, room=64)
        d.line(((x, 142), (x, 152)))
    d.line(((228, 169), (228, 214), (226, 214)))


def _compute(d: Drawing) -> None:
    d.arrow((315, 169), (315, 200))
    d.box(236, 200, 158, 42, ("Weight feed", "unpacks indices"), "weight")
    d.arrow((315, 242), (315, 270))
    d.box(236, 270, 158, 48, ("Codebook ROM", "index to codeword"), "weight")
    d.arrow((315, 318), (315, 350))
    d.box(236, 350, 158, 64, ("Processing array", "rows / d × columns PEs,", "one codeword each"),
          "data")
    d.arrow((315, 414), (315, 446))
    d.box(236, 446, 158, 44, ("Accumulators", "two halves, int32"), "memory")
    d.arrow((315, 490), (315, 524))
    d.box(236, 524, 158, 48, ("Post-processing", "requantises to int8"), "data")
    # Parameters pass between the units and the buffer.
    d.line(((398, 169), (398, 186), (424, 186), (424, 562)))
    d.arrow((424, 562), (394, 562))


def _units(d: Drawing) -> None:
    d.box(462, 220, 88, 370, ("Activation", "buffer", "in banks"), "memory", 12.5)
    d.arrow((462, 382), (394, 382))
    d.arrow((394, 540), (462, 540))
    d.line(((484, 169), (484, 196), (655, 196)))
    d.arrow((655, 196), (655, 226))
    d.box(590, 226, 130, 44, ("LOAD", "DRAM to buffer"), "data")
    d.arrow((590, 248), (550, 248))
    d.line(((566, 169), (566, 184), (738, 184), (738, 380)))
    d.arrow((738, 380), (720, 380))
    d.box(590, 340, 130, 80, ("Vector unit", "pooling, addition,", "depthwise"), "data")
    d.arrow((590, 380), (550, 380), both=True)
    d.box(590, 496, 130, 44, ("STORE", "buffer to DRAM"), "data")
    d.arrow((550, 518), (590, 518))
    d.line(((720, 518), (750, 518), (750, 142)))
    d.arrow((750, 160), (750, 142))
    d.text(506, 612, "feature maps, int8", size=11, soft=True)


def draw() -> str:
    """The drawing as SVG."""
    return picture().svg()
