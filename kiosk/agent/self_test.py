"""What a kiosk can prove of itself with nobody there: a made-up resident asks for balances, and this program serves.

Real: the service, the desk with its waits and watchers, the supervisor, the host's client with its codec, every page as
the glass composes it, a journal file of its own made anew, and one row in the terminal's own journal.
Made up: the card, its PIN entry, the office's answer, the touches. So it says nothing of devices and hosts, and nothing
of it is ever seen, sent or kept but that row: whoever judges new software asks after those beside it.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import trio

from kiosk.devices.supervisor import Supervisor
from kiosk.domain.card import CardIdentity, Holder, PinProgress, PinResult, PinTemplate, PinVerdict, Sex
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.hosts.social_insurance.codec import OVERVIEW_PATH
from kiosk.ports import DeviceContext, HostAnswer, HostRefused, Outcome, PadKey, Preferences, Question, Screen, Visit
from kiosk.services.query_account import query_account
from kiosk.settings.config import SlotSettings
from kiosk.visit.desk import Desk
from offline_queue.journal import SqliteJournal

SELF_TEST_S_MAX = 20.0
OVERVIEW = "overview"
PARTS = ("insurances", "account", "contributions", "benefits")
NUMBER = "0" * 18  # nobody's: no date and no check digit
NOBODY = Holder("自检", NUMBER, Sex.UNKNOWN, "", None)
NO_CARD = CardIdentity(bytes(16), "000000000", "2.00", None, None, bytes(16))
ANSWER: Mapping[str, Any] = {
    "insurances": [{"insurance": "medical", "state": "in_force", "since": "2020-01-01", "contributed_months": 12}],
    "account": {"medical_fen": 12_345, "pension_fen": 67_890, "as_of": "2026-01-31"},
    "contributions": [
        {
            "month": "2026-01",
            "insurance": "medical",
            "base_fen": 500_000,
            "personal_fen": 10_000,
            "employer_fen": 40_000,
            "arrived": True,
        }
    ],
    "benefits": [{"paid_on": "2026-01-15", "kind": "自检", "amount_fen": 100, "account_tail": "0000"}],
}


async def self_test(desk: Desk) -> str:
    """ "" when the resident was served to the end and the journal took a row; else what went otherwise.

    Raises:
        JournalBusy: and then nothing is proved.
    """
    if not desk.journal.has_room():
        return "the journal has no room"
    hand = _Hand(desk)
    with tempfile.TemporaryDirectory(prefix="self-test-", dir=desk.settings.run_dir) as folder:
        with trio.move_on_after(SELF_TEST_S_MAX) as patience:
            outcome = await _served(desk, hand, Path(folder))
        if patience.cancelled_caught:
            return f"no end after {hand.asked[-1:] or 'nothing'}"
    missed = [part for part in PARTS if f"figures_{part}" not in hand.asked]
    if outcome is not Outcome.DONE or missed:
        return f"ended {outcome.value}, not shown: {' '.join(missed) or 'nothing'}"
    desk.journal.record("self_test", pages=len(hand.asked))
    return ""


async def _served(desk: Desk, hand: "_Hand", folder: Path) -> Outcome:
    settings, clock = desk.settings, desk.clock
    slots = {name: SlotSettings(driver="made_up") for name in ("card_reader", "pin_pad")}
    fittings = Supervisor(slots, lambda name: _open, _unsaid, folder, settings.pin_mode, None)
    journal = SqliteJournal(folder, clock.now)
    try:
        made_up = replace(
            desk,
            journal=journal,
            log=_unsaid,
            screen=hand,
            supervisor=fittings,
            social_insurance=SocialInsuranceClient(_Office()),
            make_pin_entry=lambda reader, pad: _Entry(),
        )
        made_up.visit = Visit(NO_CARD, NOBODY, "000000")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fittings.run)
            await fittings.wait_tried()
            outcome = await query_account(made_up)
            nursery.cancel_scope.cancel()
        return outcome
    finally:
        journal.close()


def _unsaid(event: str, **fields: str | int | float | bool | None) -> None:
    """Nothing that is made up stands in the terminal's log."""


def _open(options: Mapping[str, object], context: DeviceContext) -> "_Fitting":
    return _Fitting()


class _Fitting:
    """Card and pad: a card that stays in, keys that nobody presses."""

    card_present = True
    serial = "made up"

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await trio.sleep_forever()

    def forget_keys(self) -> None:
        """There are none."""

    async def next_key(self) -> NoReturn:
        await trio.sleep_forever()
        raise AssertionError("for ever")


class _Entry:
    """Implements ``PinEntry``: the right PIN, and no digit of it anywhere."""

    mode = "A"

    async def verify_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Any) -> PinVerdict:
        assert card == NO_CARD, "nobody else's"
        return PinVerdict(PinResult.OK)

    async def change_chip_pin(self, card: CardIdentity, template: PinTemplate, progress: Any) -> PinVerdict:
        raise AssertionError("nobody asked for that")


class _Office:
    """Implements ``HostLink``: what the office would say, in the words of its interface."""

    async def call(self, method: str, path: str, *, body: Any = None, **more: Any) -> HostAnswer:
        if (method, path) != ("POST", OVERVIEW_PATH) or body["social_security_number"] != NUMBER:
            raise HostRefused("self_test", "not asked for")
        return HostAnswer(200, ANSWER)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        raise HostRefused("self_test", "not asked for")


@dataclass
class _Hand:
    """Implements ``Screen``: each part of the overview is looked at once. The real glass composes each page and shows
    none of them."""

    desk: Desk
    asked: list[str] = field(default_factory=list)
    preferences: Preferences = field(default_factory=Preferences)
    left: list[str] = field(default_factory=lambda: list(PARTS))

    @property
    def activity(self) -> float:
        return trio.current_time()

    async def ask(self, question: Question) -> str:
        self.show(question)
        if question.name == OVERVIEW and self.left:
            return self.left.pop(0)
        if question.name == OVERVIEW or question.name.startswith("figures_"):
            return question.answers[-1].value  # back
        await trio.sleep_forever()
        raise AssertionError("for ever")

    def show(self, question: Question) -> None:
        self.asked.append(question.name)
        if not self.desk.opening.serving:  # somebody's next page is worth more
            screen: Screen = self.desk.screen
            screen.foresee(question)

    def foresee(self, question: Question) -> None:
        """Each is composed when it is shown."""

    def key(self, key: PadKey) -> None:
        """Nobody presses one."""

    def stars(self, progress: PinProgress) -> None:
        """None are typed."""

    def warn_idle(self, seconds_left: int | None) -> None:
        """Nobody goes away."""

    def clear_session(self) -> None:
        """Nothing is kept."""
