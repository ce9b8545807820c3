"""Driver of the KMY family: which object stands in the slot ``pin_pad``, by what its settings say of this pad."""

from collections.abc import Mapping

from drivers.options import OptionError
from drivers.pin_pad.kmy.components import ComponentPad
from drivers.pin_pad.kmy.pad import KmyPad, OpenLine
from drivers.pin_pad.kmy.settings import PadSettings, pad_settings
from drivers.transport.serial_port import open_serial_line
from kiosk.ports import DeviceContext

INVENTED = ("mode_readback", "component_entry")  # options that rest on no public text (pins-and-keys 10)


def kmy_pad(settings: PadSettings, context: DeviceContext, open_line: OpenLine) -> KmyPad:
    """One that takes parts of keys at its keys only where the settings say that this pad does."""
    made = ComponentPad if settings.component_entry else KmyPad
    return made(settings, context, open_line)


def open_device(options: Mapping[str, object], context: DeviceContext) -> KmyPad:
    """Entry point ``kmy``.

    Raises:
        OptionError: options that ``PadSettings`` does not take, or in production an INVENTED one.
    """
    settings = pad_settings(options)
    for name in INVENTED:
        if context.production and getattr(settings, name):
            raise OptionError(f"{name} is INVENTED, and production refuses it: set it to false")
    return kmy_pad(settings, context, lambda: open_serial_line(settings.path, settings.baud, settings.parity))
