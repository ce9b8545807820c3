"""Mode B, the weaker profile: the pad in plain mode, inside one short-lived process. The kiosk is never in the path.

The kiosk lets go of the card (LEAVE_CARD), lends the pad's line, starts the process and hears only counts of digits
and one verdict. It keeps the right to change its mind until it says "go"; from then on it waits, shielded, because
the APDU may be on its way, and an answer that does not come is UNKNOWN.
"""

import json
import os
import site
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import trio

import drivers
from drivers.options import OptionError, read_options
from drivers.pin_entry.wire import GO, LINE_BYTES_MAX, Request
from kiosk.domain.card import CardIdentity, PinProgress, PinPrompt, PinResult, PinTemplate, PinVerdict
from kiosk.domain.health import Condition, Health
from kiosk.ports import CardGone, DeviceFault, Log

START_S_MAX = 10.0
SEND_S_MAX = 10.0
REAP_S_MAX = 2.0
PLAIN_ENTRY = "drivers.pin_pad.kmy.plain_entry"
# Nothing of the environment, of a user's folder or of what hooks itself into every Python (.pth files too: another
# maker's ``plain_entry`` must be installed) comes into this process; and without them it starts in half the time.
_PLACES = (str(Path(drivers.__file__).parents[1]), *site.getsitepackages())
_BEGIN = "import sys; sys.path += sys.argv[2:]; from drivers.pin_entry.__main__ import main; sys.exit(main())"


class LettingReader(Protocol):
    """What mode B needs of a card reader beside its port."""

    @property
    def reader_name(self) -> str: ...

    async def let_go(self) -> None: ...

    def end_insertion(self) -> None: ...


class LendingPad(Protocol):
    """What mode B needs of a pad."""

    def lend_line(self) -> AbstractAsyncContextManager[tuple[int, dict[str, str | bool]]]: ...


@dataclass(frozen=True)
class PinRules:
    """Regional: PINs that cards are issued with, and status words (hex) of a card that was never given one."""

    initial_pins: str = "123456"  # separated by spaces
    unset_statuses: str = "6985 6984"
    plain_entry: str = PLAIN_ENTRY


class ModeB:
    """Implements ``ports.PinEntry``."""

    mode = "B"

    def __init__(self, reader: LettingReader, pad: LendingPad, rules: PinRules, log: Log) -> None:
        self._reader = reader
        self._pad = pad
        self._rules = rules
        self._log = log

    async def verify_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Any) -> PinVerdict:
        """Raises: CardGone, DeviceFault (surely no VERIFY was sent)."""
        return await self._enter("verify", 1, card, template, progress)

    async def change_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Any) -> PinVerdict:
        """Raises: CardGone, DeviceFault (surely no CHANGE PIN was sent)."""
        return await self._enter("change", 3, card, template, progress)

    async def _enter(
        self, verb: str, entries: int, card: CardIdentity, template: PinTemplate, progress: Any
    ) -> PinVerdict:
        await self._reader.let_go()
        async with self._pad.lend_line() as (pad_fd, framing):
            request = self._request(verb, card, template, pad_fd, framing)
            with trio.move_on_after(entries * (template.entry_s_max + START_S_MAX)):
                try:
                    child = _Child(pad_fd)
                except OSError as error:
                    raise self._fault("pin_process_not_started") from error
                async with child:
                    return await self._converse(child, request, progress)
        return PinVerdict(PinResult.TIMED_OUT)

    async def _converse(self, child: "_Child", request: Request, progress: Any) -> PinVerdict:
        await child.write(request.line())
        sent = False
        with trio.CancelScope() as scope:
            while message := await child.next_message():
                if "count" in message:
                    prompt, digits = message["count"]
                    progress(PinProgress(PinPrompt(prompt), digits))
                elif "ready" in message:
                    scope.shield, scope.deadline = True, trio.current_time() + SEND_S_MAX
                    sent = True
                    await child.write(GO)
                else:
                    return self._ending(message, request.verb)
        if not sent:
            raise self._fault("pin_process_ended")
        self._reader.end_insertion()
        return PinVerdict(PinResult.UNKNOWN)

    def _ending(self, message: dict[str, Any], verb: str) -> PinVerdict:
        if "verdict" in message:
            return PinVerdict(PinResult(message["verdict"]), message["tries"])
        if "gone" in message:
            self._reader.end_insertion()
            if message["gone"] and verb == "change":
                return PinVerdict(PinResult.UNKNOWN)  # either PIN may be in force (pins-and-keys 5)
            raise CardGone
        reason = str(message.get("fault", "pin_process_ended"))
        self._log("pin entry failed", slot="pin_pad", reason=reason)
        raise self._fault(reason)

    def _request(
        self, verb: str, card: CardIdentity, template: PinTemplate, pad_fd: int, framing: dict[str, str | bool]
    ) -> Request:
        return Request(
            verb=verb,
            reader=self._reader.reader_name,
            identification_code=card.identification_code.hex(),
            pad_fd=pad_fd,
            framing=framing,
            plain_entry=self._rules.plain_entry,
            digits_min=template.digits_min,
            digits_max=template.digits_max,
            entry_s_max=template.entry_s_max,
            initial_pins=self._rules.initial_pins.split(),
            initial_refused=template.initial_pins_refused,
            unset_statuses=[int(word, 16) for word in self._rules.unset_statuses.split()],
            refused_kinds=list(template.new_pin_refused.kinds),
            refused_parts=list(template.new_pin_refused.parts),
        )

    def _fault(self, reason: str) -> DeviceFault:
        return DeviceFault("pin_pad", Health(Condition.FAULT, reason))


class _Child:
    """The process, its two pipes, and its certain end: killed by pid and reaped, whatever happens."""

    def __init__(self, pad_fd: int) -> None:
        self._process = _spawn(pad_fd)  # OSError: the machine has no room for a process
        self._heard = b""
        assert self._process.stdin and self._process.stdout
        self._to = trio.lowlevel.FdStream(os.dup(self._process.stdin.fileno()))
        self._from = trio.lowlevel.FdStream(os.dup(self._process.stdout.fileno()))
        self._process.stdin.close()
        self._process.stdout.close()

    async def __aenter__(self) -> "_Child":
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._process.kill()
        with trio.CancelScope(shield=True):
            await self._to.aclose()
            await self._from.aclose()
            await trio.to_thread.run_sync(self._process.wait, REAP_S_MAX)

    async def write(self, line: bytes) -> None:
        try:
            await self._to.send_all(line)
        except trio.BrokenResourceError:
            return  # it ended: what it last said, or its silence, tells the rest

    async def next_message(self) -> dict[str, Any] | None:
        """What it says next; None when it has ended. An overlong or broken line counts as its end."""
        while b"\n" not in self._heard:
            chunk = b"" if len(self._heard) > LINE_BYTES_MAX else await self._from.receive_some(LINE_BYTES_MAX)
            if not chunk:
                return None
            self._heard += chunk
        line, _, self._heard = self._heard.partition(b"\n")
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError:
            return None
        return message


def _spawn(pad_fd: int) -> subprocess.Popen[bytes]:
    """From this very thread: the kernel ends the process with the thread that started it."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BEGIN, "drivers.pin_entry", *_PLACES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(pad_fd,),
    )


def open_mode_b(reader: Any, pad: Any, options: Mapping[str, object], log: Log) -> ModeB:
    """Raises: OptionError: reader or pad cannot do it."""
    for device, verb in ((reader, "let_go"), (pad, "lend_line")):
        if not hasattr(device, verb):
            raise OptionError(f"PIN mode B needs a device that can {verb}")
    return ModeB(reader, pad, read_options(PinRules, options), log)
