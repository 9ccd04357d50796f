"""A store of the vector unit with the unpacker in front of it."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.lib import Unpacker
from vqrom_hw.vector.packets import share_unpacker


class Fed(wiring.Component):
    """Beats in, to one store.

    Members
    -------
    i: ``In(stream.Signature(bus_width))``
        Beats of the packets.
    """

    i: stream.Interface

    def __init__(self, config: AcceleratorConfig, store: Any) -> None:
        self._config, self._store = config, store
        super().__init__({"i": In(stream.Signature(config.bus_width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = self._store
        m.submodules.unpacker = unpacker = Unpacker(
            self._config.bus_width, 8 * self._config.rows)
        wiring.connect(m, unpacker.i, wiring.flipped(self.i))
        share_unpacker(m, unpacker, [self._store])
        return m
