"""Entry point ``ldt33``: with the bank application and the staff card where the library passes commands to the card."""

from collections.abc import Mapping

from drivers.card_reader.ldt33.basic import VendorCardReader, VendorSettings
from drivers.card_reader.ldt33.commanding import CommandingCardReader
from drivers.options import read_options
from kiosk.ports import DeviceContext


def open_device(options: Mapping[str, object], context: DeviceContext) -> VendorCardReader:
    """Raises: OptionError: an unknown or mistyped option."""
    settings = read_options(VendorSettings, options)
    kind = CommandingCardReader if settings.icc_device else VendorCardReader
    return kind(settings, context)
