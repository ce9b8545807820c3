"""Messages that the bank is still owed, between visits: 0400 for what nobody knows, 0620 for scripts (rule 21).

Only the process that owns the pad can make their MACs, and nobody's card or PIN is waited for meanwhile.
"""

from collections.abc import Callable
from typing import NoReturn

import trio

from kiosk.domain.entries import AlreadyClosed
from kiosk.money.bank_record import NOTICE, intent_of, open_acts
from kiosk.money.pay_by_card import is_disputed, reverse_once
from kiosk.ports import DeviceFault, HostRefused, Journal, Log, OutcomeUnknown
from kiosk.ports.money import Bank

LOOK_S = 10.0
BACK_OFF_S_MAX = 300.0
SIGN_ON_S = 6 * 3600.0  # well before the keys are too old, so that no resident waits for it


async def keep_bank_driven(journal: Journal, bank: Bank, log: Log, live_case: Callable[[], str]) -> NoReturn:
    """For as long as the process lives: sign on, and drive what is open; rarer and rarer while nothing is answered."""
    pause_s, signed_on_at = LOOK_S, -SIGN_ON_S
    while True:
        if not live_case():
            if trio.current_time() - signed_on_at >= SIGN_ON_S and await _signed_on(bank, log):
                signed_on_at = trio.current_time()
            try:
                answered = await drive_bank(journal, bank, log)
            except AlreadyClosed:  # the bank's file told it to the forwarder meanwhile
                answered = False
            pause_s = LOOK_S if answered else min(2 * pause_s, BACK_OFF_S_MAX)
        await trio.sleep(pause_s)


async def drive_bank(journal: Journal, bank: Bank, log: Log) -> bool:
    """Every open act and every notice once, oldest first; whether nothing is left to ask."""
    for trace in [intent_of(intent).trace_number for intent in open_acts(journal)]:
        if is_disputed(journal, trace):
            continue
        if not await reverse_once(journal, bank, trace):
            return False
    if not any(entry.act == NOTICE for entry in journal.open_effects()):
        return True
    try:
        await bank.send_notices()
    except (HostRefused, OutcomeUnknown, DeviceFault) as problem:
        log("bank_notice_unanswered", error=type(problem).__name__)
        return False
    return True


async def _signed_on(bank: Bank, log: Log) -> bool:
    try:
        await bank.sign_on()
    except (HostRefused, OutcomeUnknown, DeviceFault) as problem:
        log("bank_sign_on_failed", error=type(problem).__name__)
        return False
    return True
