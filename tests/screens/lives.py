"""Visits that are lived in memory so that their pages can be looked at: what a service asks, it asks here."""

import re
import tempfile
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import trio
from msgspec import structs
from trio.testing import MockClock

from kiosk.domain.card import CardState, PinResult, PinVerdict
from kiosk.domain.certificate import SealFinding
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, HostRefused, OutcomeUnknown, Question
from tests.flows.people import KioskInMemory
from tests.screens.duty_lives import staff_pages

Life = dict[str, Any]
FAULT = DeviceFault("page_printer", Health(Condition.FAULT, "paper_out"))
SERVICES = ("query_account", "print_certificate", "change_pin")
FIGURES = ["insurances", "account", "contributions", "benefits", "back"]
RESULTS = [one for one in PinResult if one not in (PinResult.OK, PinResult.WRONG)]
OF_A_NEW_PIN = (PinResult.MISMATCH, PinResult.TOO_SIMPLE)


def lives() -> list[Life]:
    """What happens in each visit: attributes of the kiosk in memory by dotted name."""
    read: list[Life] = [{"menu": service} for service in SERVICES]
    read += [{"menu": "change_pin", "pin.verdicts": [PinVerdict(one)]} for one in RESULTS]
    read += [
        {"menu": service, "pin.verdicts": [PinVerdict(one)]}
        for service in SERVICES[:2]
        for one in RESULTS
        if one not in OF_A_NEW_PIN
    ]
    read += [{"menu": "change_pin", "pin.verdicts": [PinVerdict(PinResult.WRONG, left)]} for left in (1, 3, None)]
    read += [{"menu": "query_account", "mode": "A", "pin.verdicts": [PinVerdict(PinResult.CANCELLED)]}]
    read += [{"menu": service, "hosts.silent": True} for service in SERVICES[:2]]
    read += [{"menu": service, "hosts.refuses": HostRefused("h", "c", "您的关系已转出")} for service in SERVICES[:2]]
    read += [{"menu": "print_certificate", "hosts.finding": one} for one in (SealFinding.ALTERED,)]
    read += [{"menu": "print_certificate", "pages.fault": one} for one in (FAULT, OutcomeUnknown("p", "silent"))]
    read += [{"menu": "change_pin", "forgot": True}, {"menu": "change_pin", "forgot": True, "receipts.fault": FAULT}]
    read += [{"menu": "take_card", "hosts.state": state} for state in CardState]
    return read


def script(life: Life) -> dict[str, Any]:
    answers = {
        "overview": list(FIGURES), "choose_certificate": "insurance_certificate", "forgot_pin": "print",
        "last_try": "stop", "wrong_pin": "stop", "pin_stopped": "stop",
        "pin_mismatch": "back", "pin_too_simple": "back", "menu": [life["menu"], "take_card"],
    }  # fmt: skip
    answers |= {f"figures_{part}": "back" for part in FIGURES}
    answers |= {f"card_state_{state.value}": "take_card" for state in CardState}
    understood = (
        "pin_locked pin_initial pin_unset pin_unknown pin_changed host_silent host_refused device_out figures_chip"
        " certificate_done certificate_unknown certificate_not_printed reset_note_unprinted"
    )
    answers |= dict.fromkeys(understood.split(), "understood")
    return answers | ({"change_pin_entry": "forgot"} if life.get("forgot") else {})


async def live(life: Life) -> list[Question]:
    kiosk = KioskInMemory(script(life))
    kiosk.pin.never_ends = bool(life.get("forgot"))
    if life.get("mode"):
        kiosk.desk.settings = structs.replace(kiosk.settings, pin_mode=life["mode"])
    for name, value in life.items():
        part, dot, attribute = name.partition(".")
        if dot:
            setattr(getattr(kiosk, part), attribute, value)
    await kiosk.visit()
    return [*kiosk.screen.asked, *kiosk.screen.shown]


@cache
def lived() -> dict[str, Question]:
    """Every different page of all these visits, residents' and staff's, by its name and a number."""
    found: dict[str, Question] = {}
    with tempfile.TemporaryDirectory() as folder:
        jobs = [partial(live, life) for life in lives()]
        jobs.append(partial(staff_pages, Path(folder), datetime(2026, 11, 21, 10, 24, tzinfo=UTC)))
        for job in jobs:
            for question in trio.run(job, clock=MockClock(autojump_threshold=0)):
                if question not in found.values():
                    found[f"{question.name} {len(found)}"] = question
    return found


def one_of_each() -> dict[str, Question]:
    """Of every name the first page that was lived; names that end in a number are one."""
    found: dict[str, Question] = {}
    for question in lived().values():
        found.setdefault(re.sub(r"_\d+$", "", f"lived-{question.name}"), question)
    return found
