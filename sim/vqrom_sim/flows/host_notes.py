"""What a user should know of layers that run on the host, before any accelerator is chosen."""

from __future__ import annotations

from vqrom_sim.report import kind_of
from vqrom_sw.compiler import host_reason
from vqrom_sw.network import Host, QuantizedNetwork

from .arguments import DEFAULT_CONFIG, load_config


def host_notes(name: str, network: QuantizedNetwork) -> list[str]:
    """A line that says which layers run on the host and why, if any do on the default accelerator.
    """
    config = load_config(DEFAULT_CONFIG)
    reasons: dict[str, list[str]] = {}
    for layer in network.layers:
        reason = host_reason(layer, network, config)
        if reason:
            told = layer.operation if isinstance(layer, Host) else kind_of(layer)
            reasons.setdefault(reason, []).append(f"{layer.name!r} ({told})")
    if not reasons:
        return []
    count = sum(map(len, reasons.values()))
    return [f"{name}: {count} of {len(network.layers)} layers on the host beside {config.name}: "
            + "; ".join(f"{', '.join(layers)}: {reason}" for reason, layers in reasons.items())]
