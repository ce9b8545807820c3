"""The pages that residents really see, collected from lived visits: whole, apart, large enough, in every pose."""

from functools import cache, partial
from itertools import combinations
from typing import Any

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from kiosk.domain.card import CardState, PinResult, PinVerdict
from kiosk.domain.certificate import SealFinding
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, HostRefused, OutcomeUnknown, Question
from screens.picture import Picture
from screens.theme import Box
from tests.flows.people import KioskInMemory
from tests.screens.poses import POSES, Pose, pages
from tests.screens.test_geometry import MAIN_MM_MIN, TARGET_MM_MIN, _ink, _inside, _line_ems, _overlap, _words

Life = dict[str, Any]
FAULT = DeviceFault("page_printer", Health(Condition.FAULT, "paper_out"))
QUICK = (POSES[0], POSES[-1])
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
    """Every different page of all these visits, by its name and a number."""
    found: dict[str, Question] = {}
    for life in lives():
        for question in trio.run(partial(live, life), clock=MockClock(autojump_threshold=0)):
            if question not in found.values():
                found[f"{question.name} {len(found)}"] = question
    return found


def test_the_visits_cover_the_three_services() -> None:
    """A page that is never collected is never looked at."""
    names = {name.split()[0] for name in lived()}
    assert len(names) > 35, sorted(names)
    assert {
        "pin_entry",
        "last_try",
        "pin_unknown",
        "figures_chip",
        "certificate_unknown",
        "reset_note_unprinted",
    } <= names


@pytest.mark.parametrize(
    "pose",
    [pytest.param(pose, marks=[] if pose in QUICK else pytest.mark.slow) for pose in POSES],
    ids=lambda pose: pose.name,
)
def test_every_lived_page_is_whole_and_can_be_answered(pose: Pose) -> None:
    """No text is cut, long or overlapping; every answer has a target that is large enough and in reach on some page."""
    for name, question in lived().items():
        seen: set[str] = set()
        for _, picture in pages(pose, question):
            _judge(pose, name, picture)
            seen |= {target.act.removeprefix("answer:") for target in picture.targets}
        offered = {answer.value for answer in question.answers}
        assert offered <= seen, (name, offered - seen)


def _judge(pose: Pose, name: str, picture: Picture) -> None:
    theme = pose.theme()
    glass = Box(0, 0, theme.width, theme.height)
    for words in _words(picture):
        assert _inside(_ink(words), glass), (name, words)
        assert words.box.w <= words.size * _line_ems(theme, words.words) + 1, (name, words)
    for one, other in combinations(_words(picture), 2):
        assert not _overlap(_ink(one), _ink(other)), (name, one.words, other.words)
    for target in picture.targets:
        least = MAIN_MM_MIN if target.main else TARGET_MM_MIN
        assert min(target.box.w, target.box.h) * theme.mm_per_px >= least, (name, target)
        assert target.box.y >= theme.touch_top and _inside(target.box, glass), (name, target)
