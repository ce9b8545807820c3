"""Simulated devices by model name. Modules are loaded only when asked for: each brings its own libraries."""

from collections.abc import Mapping
from importlib import import_module

from simulators.lines import LineDevice
from simulators.worlds.world import World

# Model -> module. A module offers ``build(world: World, options: Mapping[str, str]) -> LineDevice``.
MODELS = {
    "ccnet": "simulators.devices.ccnet_unit",
    "escpos": "simulators.devices.escpos",
    "id003": "simulators.devices.id003",
    "jack": "simulators.devices.jack",
    "kmy": "simulators.devices.kmy",
    "lcus": "simulators.devices.lcus",
    "puloon": "simulators.devices.puloon",
    "ssp": "simulators.devices.ssp",
}


def build(model: str, world: World, options: Mapping[str, str] | None = None) -> LineDevice:
    """Make one device.

    Raises:
        KeyError: no such model; the message lists those there are.
    """
    if model not in MODELS:
        raise KeyError(f"no model {model!r}; known: {', '.join(sorted(MODELS))}")
    device: LineDevice = import_module(MODELS[model]).build(world, options or {})
    return device
