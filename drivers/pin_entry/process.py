"""The PIN process of mode B: reads the PIN from the pad, sends one APDU to the card, says the verdict, ends.

PINs and the APDU live in bytearrays and are wiped. What cannot be wiped: the kernel's tty buffers, and the copy that
pyscard makes of the APDU (a list of ints, then a C buffer). Those die with this process, which is why it is one.
"""

import importlib
import time
from collections.abc import Callable
from typing import Any

from drivers.apdu import chip_pin, staff_card
from drivers.apdu.chip_pin import wipe
from drivers.apdu.status import AUTHENTICATION_FAILED, OK, PIN_LOCKED, tries_left
from drivers.pin_entry.too_simple import too_simple
from drivers.pin_entry.wire import Request
from drivers.transport.scard import CardHandle, ServiceGone, TransmitFailed, drive

TIMED_OUT_SLACK_S = 0.5
Say = Callable[..., None]


class EntryFailed(Exception):
    """The pad did not do it; ``reason`` as in the pad's ``PlainEntryFailed``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ended(Exception):
    """The entry is over without an APDU; ``result`` is a PinResult."""

    def __init__(self, result: str) -> None:
        super().__init__(result)
        self.result = result


def serve(request: Request, say: Say, wait_go: Callable[[], bool]) -> None:
    """Do one request and say how it ended. ``wait_go`` returns False when the kiosk changed its mind."""
    try:
        handle = CardHandle(leave_powered=True)
    except ServiceGone:
        say(gone=False)
        return
    try:
        _serve_card(handle, request, say, wait_go)
    except Ended as ended:
        say(verdict=ended.result, tries=None)
    except EntryFailed as failed:
        say(fault=failed.reason)
    except (TransmitFailed, ServiceGone):
        say(gone=False)
    finally:
        handle.close()


def _serve_card(handle: CardHandle, request: Request, say: Say, wait_go: Callable[[], bool]) -> None:
    handle.connect(request.reader)
    found = drive(staff_card.resident_or_staff_code(), handle.transmit)
    if found.hex() != request.identification_code:
        say(gone=False)
        return
    command, initial = _entered_command(request, say)
    try:
        handle.atr()  # last moment at which a pulled card is surely an APDU not sent
        say(ready=True)
        if not wait_go():
            raise Ended("cancelled")
        try:
            status = int.from_bytes(handle.transmit(command)[-2:], "big")
        except TransmitFailed:
            say(gone=True)
            return
    finally:
        wipe(command)
    _say_status(request, status, initial, say)


def _say_status(request: Request, status: int, initial: bool, say: Say) -> None:
    left = tries_left(status)
    if status == OK:
        say(verdict="initial" if initial and request.verb == "verify" else "ok", tries=None)
    elif status == PIN_LOCKED or left == 0:
        say(verdict="locked", tries=0)
    elif left is not None or status == AUTHENTICATION_FAILED:
        say(verdict="wrong", tries=left)
    elif status in request.unset_statuses:
        say(verdict="unset", tries=None)
    else:
        say(fault=f"card_refused_{status:04x}")


def _entered_command(request: Request, say: Say) -> tuple[bytearray, bool]:
    """The APDU of what was typed, and whether the current PIN is an initial one."""
    pad = importlib.import_module(request.plain_entry)
    current = _enter(pad, request, "current", say)
    entered = [current]
    try:
        if request.verb == "verify":
            return chip_pin.verify_command(current), _is_initial(current, request)
        new = _enter(pad, request, "new", say)
        entered.append(new)
        if _is_refused(new, request):
            raise Ended("too_simple")
        repeat = _enter(pad, request, "repeat", say)
        entered.append(repeat)
        if new != repeat:
            raise Ended("mismatch")
        return chip_pin.change_command(current, new), _is_initial(current, request)
    finally:
        wipe(*entered)


def _enter(pad: Any, request: Request, prompt: str, say: Say) -> bytearray:
    started = time.monotonic()
    say(count=[prompt, 0])
    try:
        entered: bytearray | None = pad.read_pin(
            request.pad_fd,
            pad.Framing.from_options(request.framing),
            request.digits_min,
            request.digits_max,
            request.entry_s_max,
            lambda digits: say(count=[prompt, digits]),
        )
    except pad.PlainEntryFailed as failed:
        raise EntryFailed(failed.reason) from failed
    if entered is None:
        over = time.monotonic() - started >= request.entry_s_max - TIMED_OUT_SLACK_S
        raise Ended("timed_out" if over else "cancelled")
    return entered


def _is_refused(new: bytearray, request: Request) -> bool:
    initial = request.initial_refused and _is_initial(new, request)
    return initial or too_simple(new, request.refused_kinds, request.refused_parts)


def _is_initial(pin: bytearray, request: Request) -> bool:
    return any(pin == initial.encode("ascii") for initial in request.initial_pins)
