"""Mode A: the reader asks for the PIN on its own pad and presents it to the card itself (iVerifyPIN, iChangePIN).

The kiosk hears a code. It shows no stars: the pad has its own display, and LD/T 33 knows no progress. A call that was
begun cannot be taken back: cancelling leaves it behind in its thread, and the reader is busy until it returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from drivers.card_reader.ldt33.codes import CARD_AWAY, OTHER_CARD, pin_verdict, reason
from drivers.card_reader.ldt33.library import CONTACT, LibraryUnusable, VendorAnswer, VendorLibrary
from drivers.options import OptionError, read_options
from kiosk.domain.card import CardIdentity, PinResult, PinTemplate, PinVerdict
from kiosk.domain.health import Condition, Health
from kiosk.ports import CardGone, DeviceFault, Log

ANSWER_S_MAX = 15.0  # beside the time for typing


@dataclass(frozen=True)
class OwnPadRules:
    library: str = ""
    kind: int = CONTACT  # iType


_busy: dict[str, bool] = {}  # library path -> a call that was left behind is still in it


class ModeA:
    """Implements ``ports.PinEntry``."""

    mode = "A"

    def __init__(self, reader: Any, library: VendorLibrary, rules: OwnPadRules, log: Log) -> None:
        self._reader = reader
        self._library = library
        self._rules = rules
        self._log = log

    async def verify_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Any) -> PinVerdict:
        """Raises: CardGone, DeviceFault."""
        return await self._present("iVerifyPIN", card, template.entry_s_max + ANSWER_S_MAX)

    async def change_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Any) -> PinVerdict:
        """Raises: CardGone, DeviceFault."""
        return await self._present("iChangePIN", card, 3 * template.entry_s_max + ANSWER_S_MAX)

    async def _present(self, name: str, card: CardIdentity, deadline_s: float) -> PinVerdict:
        if not await self._reader.same_card(card):
            raise CardGone
        if hasattr(self._reader, "let_go"):
            await self._reader.let_go()
        answer = None
        async with getattr(self._reader, "vendor_turn", None) or trio.Lock():
            with trio.move_on_after(deadline_s):
                answer = await self._call(name)
        if answer is None or (answer.code in CARD_AWAY and name == "iChangePIN"):
            return PinVerdict(PinResult.UNKNOWN)  # no status word: either PIN may be in force
        if answer.code in CARD_AWAY or answer.code == OTHER_CARD:
            raise CardGone
        verdict = pin_verdict(answer.code)
        if verdict is None:
            self._log("pin entry failed", slot="card_reader", code=answer.code)
            raise self._fault(reason(answer.code))
        if verdict.result in (PinResult.OK, PinResult.INITIAL) and not await self._reader.same_card(card):
            raise CardGone  # the library cannot be told which card is meant: ask afterwards whose PIN that was
        return verdict

    async def _call(self, name: str) -> VendorAnswer:
        key = self._rules.library
        if _busy.get(key):
            raise self._fault("reader_busy")

        def call() -> VendorAnswer:
            try:
                return self._library.call(name, self._rules.kind)
            finally:
                _busy[key] = False

        _busy[key] = True
        try:
            return await trio.to_thread.run_sync(call, abandon_on_cancel=True)
        except LibraryUnusable as error:
            raise self._fault("vendor_function_missing") from error

    def _fault(self, why: str) -> DeviceFault:
        return DeviceFault("card_reader", Health(Condition.FAULT, why))


def open_mode_a(reader: Any, options: Mapping[str, object], log: Log) -> ModeA:
    """Raises: OptionError: no library, or it cannot be loaded."""
    own = {name: value for name, value in options.items() if name in ("library", "kind")}
    own.setdefault("library", getattr(reader, "vendor_library", ""))
    rules = read_options(OwnPadRules, own)
    if not rules.library:
        raise OptionError("PIN mode A needs the reader maker's library")
    try:
        return ModeA(reader, VendorLibrary(Path(rules.library)), rules, log)
    except LibraryUnusable as error:
        raise OptionError(f"PIN mode A: {error}") from error
