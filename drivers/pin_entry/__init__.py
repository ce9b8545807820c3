"""Where the clear PIN meets the card (pins-and-keys 1-6): mode A, a reader with its own pad; mode B, a process.

``python -m drivers.pin_entry`` is mode B's short-lived process. It starts while a resident waits, so this file imports
nothing at the top.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiosk.ports import Log, PinEntry

__all__ = ["make_pin_entry"]


def make_pin_entry(mode: str, card_reader: Any, pin_pad: Any, options: Mapping[str, object], log: "Log") -> "PinEntry":
    """The PIN entry of this terminal. ``options``: fields of ``mode_b.PinRules``; in mode A also ``library``.

    Mode A takes the vendor library from ``options["library"]`` or the reader's own ``vendor_library``; mode B needs a
    PC/SC reader that can let go of the card and a pad that can lend its line.

    Raises:
        OptionError: no library in mode A, a reader or pad that cannot do this mode, or an unknown option.
    """
    if mode == "A":
        from drivers.pin_entry.mode_a import open_mode_a

        return open_mode_a(card_reader, options, log)
    from drivers.pin_entry.mode_b import open_mode_b

    return open_mode_b(card_reader, pin_pad, options, log)
