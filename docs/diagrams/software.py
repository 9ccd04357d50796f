"""The software's flow: from a network in float to codebook, network file, program and report."""

from __future__ import annotations

from .drawing import Drawing

DESCRIPTION = (
    "Networks are imported as float networks. A universal codebook is extracted from all of "
    "them and becomes a ROM in the generated Verilog. Each network is encoded with it, "
    "quantised and written as a network file. The compiler makes a program of it, which the "
    "Verilog runs or the cycle model times.")
"""What a screen reader says."""


def picture() -> Drawing:
    """Draw the way from a float network to a program."""
    d = Drawing(780, 560, "The flow of the software", DESCRIPTION)
    d.region(8, 8, 500, 316, "vqrom_sw: from floats to integers")
    d.region(8, 340, 764, 212, "")
    d.text(142, 362, "vqrom_sim: run, time, measure", size=13, soft=True, anchor="start")
    d.region(524, 8, 248, 316, "vqrom_hw: hardware")
    d.box(28, 44, 200, 46, ("PyTorch, ONNX, TFLite", "importers"), "plain")
    d.arrow((128, 90), (128, 118))
    d.box(28, 118, 200, 46, ("Float network", "layers as the hardware has them"), "data", 12.5)
    d.arrow((228, 141), (292, 141))
    d.box(292, 118, 196, 46, ("Codebook extraction", "one for all networks"), "weight")
    d.arrow((488, 141), (544, 141))
    d.box(544, 118, 208, 46, ("codebook.safetensors", "the ROM's content"), "weight")
    d.arrow((128, 164), (128, 192))
    d.box(28, 192, 200, 56, ("Encoding, construction", "a codeword for each", "sub-vector"),
          "weight", 12.5)
    d.line(((390, 164), (390, 220)))
    d.arrow((390, 220), (228, 220))
    d.arrow((128, 248), (128, 272))
    d.box(28, 272, 200, 42, ("Quantised network", "a .vqnet file"), "data")
    d.arrow((228, 293), (292, 293))
    d.box(292, 272, 196, 42, ("Compiler", "plan, strips, waits"), "control")
    d.arrow((648, 164), (648, 192))
    d.box(544, 192, 208, 46, ("Generator", "Amaranth to Verilog"), "control")
    d.box(544, 44, 208, 46, ("Configuration", "rows, columns, ports, ..."), "plain")
    d.line(((752, 67), (764, 67), (764, 215)))
    d.arrow((764, 215), (752, 215))
    d.arrow((648, 238), (648, 272))
    d.box(544, 272, 208, 42, ("vqrom.v, codebook.hex", "and vqrom.json"), "memory")
    _engines(d)
    return d


def _engines(d: Drawing) -> None:
    d.box(28, 384, 200, 46, ("Integer reference", "the right bytes"), "data")
    d.box(292, 384, 196, 46, ("Cycle model", "cycles, no values"), "data")
    d.box(544, 384, 92, 46, ("Verilator", "RTL engine"), "data", 12.5)
    d.box(652, 384, 104, 46, ("Yosys", "area"), "data", 12.5)
    d.arrow((128, 314), (128, 384))
    d.arrow((390, 314), (390, 384))
    d.line(((440, 314), (440, 332), (566, 332)))
    d.arrow((566, 332), (566, 384))
    d.text(398, 362, "program", size=11, soft=True, anchor="start")
    d.arrow((614, 314), (614, 384))
    d.arrow((704, 314), (704, 384))
    for x in (128, 390, 590, 704):
        d.arrow((x, 430), (x, 486))
    d.box(28, 486, 610, 46, ("report.json, outputs.npy",
                             "bytes compared, cycles, traffic, stalls, by layer"), "memory")
    d.box(652, 486, 104, 46, ("area.json", "by component"), "memory", 12.5)


def draw() -> str:
    """The drawing as SVG."""
    return picture().svg()
