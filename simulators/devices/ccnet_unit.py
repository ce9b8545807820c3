"""Which CCNET unit a model ``ccnet`` is."""

from collections.abc import Mapping

from simulators.devices.ccnet import CcnetValidator
from simulators.devices.ccnet_recycler import CcnetBillToBill
from simulators.worlds.world import World

UNITS: dict[str, type[CcnetValidator]] = {"validator": CcnetValidator, "bill_to_bill": CcnetBillToBill}


def build(world: World, options: Mapping[str, str]) -> CcnetValidator:
    """Options: ``unit`` = validator | bill_to_bill. Raises KeyError: no such unit."""
    return UNITS[options.get("unit", "validator")]()
