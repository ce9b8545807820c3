"""Entry point of the CCNET drivers."""

from collections.abc import Mapping

from drivers.cash_module.ccnet.recycler import CcnetBillToBill
from drivers.cash_module.ccnet.validator import CcnetSettings, CcnetValidator
from drivers.options import OptionError, read_options
from drivers.transport.serial_port import open_serial_line
from kiosk.ports import DeviceContext

UNITS = {"validator": CcnetValidator, "bill_to_bill": CcnetBillToBill}


def open_device(options: Mapping[str, object], context: DeviceContext) -> CcnetValidator:
    """Entry point ``ccnet``.

    Raises:
        OptionError: options that ``CcnetSettings`` does not take.
    """
    settings = read_options(CcnetSettings, options)
    if settings.unit not in UNITS:
        raise OptionError(f"option unit: one of {', '.join(sorted(UNITS))}")
    return UNITS[settings.unit](settings, context, lambda: open_serial_line(settings.path, settings.baud))
