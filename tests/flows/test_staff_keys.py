"""A key typed at the pad by two custodians: two people, only out of service, compared by both, journaled throughout."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from kiosk.agent.for_agent import ForAgent
from kiosk.domain.entries import NewEntry
from kiosk.domain.health import Condition, Health
from kiosk.domain.text import Grouped
from kiosk.domain.typed_keys import KeyPlace, PartAnswer, PartEnd
from kiosk.ports import DeviceFault, Figures
from kiosk.staff.typed_keys import bank_keys_under, master_in_doubt, write_load
from kiosk.visit.opening import BACK
from provisioning.rules.poll import TypedKey as TypedKeyTold
from provisioning.terminal.health import typed_keys_of
from simulators.pki import Pki, make_pki
from tests.flows.custodians import IN, KEYS, LAST, KeyRoom, Power
from tests.flows.duty import DutyRoom
from tests.flows.scripted_screen import PULLS_CARD


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def room(tmp_path: Path, pki: Pki) -> Iterator[KeyRoom]:
    made = KeyRoom(tmp_path, pki)
    yield made
    made.journal.close()


async def test_two_custodians_type_and_both_compare(autojump_clock: MockClock, room: KeyRoom) -> None:
    """Three cards: part, part and value, value. In use only after the third; who, where and which value stand in the
    journal, and nothing else of the key."""
    await room.custodian("1001")
    assert (room.key_acts(), room.doubtful) == (["key_part_asked", "key_part_in"], frozenset())
    await room.custodian("1002")
    assert room.doubtful == {"bank_master"}
    await room.custodian("1001")
    assert room.doubtful == frozenset()
    assert room.pad.asked == [(KeyPlace(0), 1), (KeyPlace(0), 2)]
    assert room.key_acts()[2:] == ["key_part_asked", "key_typed", "key_agreed", "key_confirmed"]
    confirmed = room.facts("key_confirmed")
    assert confirmed == {
        "key": "bank_master", "first": "1001", "second": "1002", "check_value": "8CA64DE9", "master": 0,
        "staff": "1001", "doubtful": "", "confirmed": "bank_master=8CA64DE9",
    }  # fmt: skip


async def test_the_value_is_shown_to_both(autojump_clock: MockClock, room: KeyRoom) -> None:
    """In groups of four, as it stands on paper."""
    for who in ("1001", "1002", "1001"):
        await room.custodian(who)
        shown = [one for one in room.kiosk.screen.asked if one.name == "staff_key_check_value"]
        if who == "1001" and len(room.pad.asked) == 1:
            assert not shown
            continue
        (page,) = shown
        assert page.heading.args["value"] == Grouped("8CA64DE9")


@pytest.mark.parametrize("who", ["1001", "1003", "1999"])
async def test_the_second_part_is_anothers(autojump_clock: MockClock, room: KeyRoom, who: str) -> None:
    """Not the first custodian's again, not another key's, not somebody else's: the pad asks none of them."""
    await room.custodian("1001")
    await room.custodian(who)
    assert room.pad.asked == [(KeyPlace(0), 1)]
    page = "staff_key_same_person" if who == "1001" else "staff_key_not_custodian"
    assert page in room.names()


async def test_who_typed_the_second_part_alone_puts_nothing_in_use(autojump_clock: MockClock, room: KeyRoom) -> None:
    """They compared already: coming back changes nothing, and somebody else cannot compare in the first one's stead."""
    for who in ("1001", "1002", "1002", "1003"):
        await room.custodian(who)
    assert "staff_key_check_value" not in room.names()
    assert room.key_acts()[-1] == "key_agreed"
    assert room.doubtful == {"bank_master"}


@pytest.mark.parametrize("refuses", ["1001", "1002"])
async def test_a_refused_value_is_not_put_in_use(autojump_clock: MockClock, room: KeyRoom, refuses: str) -> None:
    """Either of them may refuse; the key stays in doubt until two parts were typed anew and both agree."""
    await room.custodian("1001")
    for who in ("1002", "1001"):
        if room.key_acts()[-1] != "key_refused":
            await room.custodian(who, staff_key_check_value="refuse" if who == refuses else "same")
    assert room.key_acts()[-1] == "key_refused"
    assert "staff_key_refused" in room.names()
    assert room.doubtful == {"bank_master"}
    room.pad.answers = [IN, LAST]
    for who in ("1002", "1001", "1002"):
        await room.custodian(who)
    assert room.key_acts()[-1] == "key_confirmed"
    assert room.doubtful == frozenset()


async def test_only_out_of_service(autojump_clock: MockClock, room: KeyRoom) -> None:
    """While residents are served the pad is asked nothing."""
    room.kiosk.desk.opening.bring_back("2")
    await room.custodian("1001")
    assert "staff_key_in_service" in room.names()
    assert room.pad.asked == []


async def test_not_while_money_moves(autojump_clock: MockClock, room: KeyRoom) -> None:
    """The outcome of a note or a payment is known first."""
    room.journal.commit(NewEntry("note_intent", "451208", {"note": "n"}, opens="note:n"))
    await room.custodian("1001")
    assert "staff_money_moves" in room.names()
    assert room.pad.asked == []


async def test_offered_only_with_such_a_pad_and_such_a_key(
    autojump_clock: MockClock, room: KeyRoom, tmp_path: Path
) -> None:
    """Neither a pad that takes no parts nor settings without such a key put it on the menu."""

    assert await _offered(room)
    room.kiosk.desk.settings = msgspec.structs.replace(room.kiosk.desk.settings, typed_keys={})
    assert not await _offered(room)
    plain = DutyRoom(tmp_path / "plain", room.pki)
    plain.kiosk.desk.settings = msgspec.structs.replace(plain.kiosk.desk.settings, typed_keys=KEYS)
    assert not await _offered(plain)
    plain.journal.close()


async def _offered(room: DutyRoom) -> bool:
    await room.visit(room.card("1001", "clerk"), staff_menu=["finish"])
    menu = next(one for one in room.kiosk.screen.asked if one.name == "staff_menu")
    return "key" in [one.value for one in menu.answers]


async def test_a_second_part_comes_within_a_quarter_of_an_hour(autojump_clock: MockClock, room: KeyRoom) -> None:
    """After that the pad has forgotten, and the second custodian is the first of a new pair."""
    await room.custodian("1001")
    room.clock.moment += timedelta(seconds=901)
    room.pad.answers = [IN]
    await room.custodian("1002")
    assert room.pad.asked[-1] == (KeyPlace(0), 1)


async def test_a_value_waits_for_a_day(autojump_clock: MockClock, room: KeyRoom) -> None:
    """Then nobody compares it any more: the key stays in doubt, and parts are typed anew."""
    await room.custodian("1001")
    await room.custodian("1002", staff_key_check_value="back")
    room.clock.moment += timedelta(days=1, seconds=1)
    room.pad.answers = [IN]
    await room.custodian("1001")
    assert room.key_acts()[-2:] == ["key_part_asked", "key_part_in"]
    assert room.doubtful == {"bank_master"}


@pytest.mark.parametrize("end", [PartEnd.NOT_TAKEN, PartEnd.CANCELLED])
@pytest.mark.parametrize("number", [1, 2])
async def test_a_part_that_was_not_taken_is_typed_again(
    autojump_clock: MockClock, room: KeyRoom, end: PartEnd, number: int
) -> None:
    """By the same person, at once; each time is journaled before and after."""
    room.pad.answers = [IN, LAST]
    room.pad.answers.insert(number - 1, PartAnswer(end))
    await room.custodian("1001")
    await room.custodian("1002")
    assert "key_typed" in room.key_acts()
    assert room.key_acts().count("key_part_asked") == 3
    assert room.facts("key_not_typed")["why"] == end.value


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("end", [PartEnd.NOT_TAKEN, PartEnd.TIMED_OUT, PartEnd.FORGOTTEN])
async def test_a_part_that_does_not_come_changes_nothing(
    autojump_clock: MockClock, room: KeyRoom, end: PartEnd, number: int
) -> None:
    """The pad says that it took none: the key that was there stays in use, and whoever comes next begins anew."""
    room.pad.answers = [IN, PartAnswer(end)] if number == 2 else [PartAnswer(end)]
    await room.custodian("1001", staff_key_not_taken="back")
    if number == 2:
        await room.custodian("1002", staff_key_not_taken="back")
    assert room.key_acts()[-1] == "key_not_typed"
    assert room.doubtful == frozenset()
    assert "staff_key_stopped" in room.names()
    assert room.pad.forgotten == (end is PartEnd.NOT_TAKEN), "a part that waits in the pad is taken out of it"
    room.pad.answers = [IN]
    await room.custodian("1002")
    assert room.pad.asked[-1] == (KeyPlace(0), 1)


async def test_the_first_custodian_has_their_part_forgotten(autojump_clock: MockClock, room: KeyRoom) -> None:
    """They found that they had typed something else: the pad forgets it, and the other one is not asked for theirs."""
    await room.custodian("1001")
    await room.custodian("1001", staff_key_same_person="anew")
    assert (room.pad.forgotten, room.facts("key_not_typed")["why"]) == (1, "given_up")
    room.pad.answers = [IN]
    await room.custodian("1002")
    assert room.pad.asked[-1] == (KeyPlace(0), 1)


SILENT = DeviceFault("pin_pad", Health(Condition.UNKNOWN, "silent"))


@pytest.mark.parametrize("cut", [SILENT, PartAnswer(PartEnd.MIXED), None])
@pytest.mark.parametrize("number", [1, 2])
async def test_what_cuts_the_last_part_off_leaves_the_key_unknown(
    autojump_clock: MockClock, room: KeyRoom, number: int, cut: Any
) -> None:
    """Silence, a part that nobody typed, a stop while it is typed: after the last part nobody knows which key is in.
    The first part changes nothing, except where the pad itself counts one too many."""
    room.pad.answers = [IN, cut] if number == 2 else [cut]
    stop = {"staff_key_part": "back"} if cut is None else {}
    await room.custodian("1001", **(stop if number == 1 else {}))
    if number == 2:
        await room.custodian("1002", **stop)
    unknown = number == 2 or cut == PartAnswer(PartEnd.MIXED)
    assert room.key_acts()[-1] == ("key_unknown" if unknown else "key_not_typed")
    assert room.doubtful == ({"bank_master"} if unknown else frozenset())


async def test_a_pad_that_went_away_was_asked_for_nothing(autojump_clock: MockClock, room: KeyRoom) -> None:
    """It left while the second custodian read what to do: no part was asked for, and the key is as good as before."""
    await room.custodian("1001")
    slot = room.kiosk.supervisor.slots["pin_pad"]

    def unplugged() -> str:
        slot.device, slot.health = None, Health(Condition.ABSENT, "line_lost")
        return "ready"

    await room.custodian("1002", staff_key_ready=unplugged)
    assert (room.key_acts(), room.doubtful) == (["key_part_asked", "key_part_in"], frozenset())


async def test_the_card_pulled_while_the_last_part_is_typed(autojump_clock: MockClock, room: KeyRoom) -> None:
    """The visit is over and the key unknown."""
    room.pad.answers = [IN, None]
    await room.custodian("1001")
    await room.custodian("1002", staff_key_part=PULLS_CARD)
    assert room.key_acts()[-1] == "key_unknown"
    assert room.doubtful == {"bank_master"}


@pytest.mark.parametrize("act", ["key_part_asked", "key_part_in", "key_typed", "key_agreed", "key_confirmed"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_power_cut_at_every_commit(autojump_clock: MockClock, room: KeyRoom, act: str, after: bool) -> None:
    """From the last part on until both have confirmed the key is in doubt, whatever was cut off; and the same two
    people come to a confirmed key from wherever they are."""
    room.journal.cut_at, room.journal.after = act, after
    for who in ("1001", "1002", "1001", "1002", "1001", "1002", "1001"):
        standing = room.key_acts()[-1:]
        if standing == ["key_confirmed"]:
            break
        room.pad.answers = [LAST] if standing == ["key_part_in"] else [IN]
        try:
            await room.custodian(who)
        except BaseExceptionGroup as group:
            assert group.split(Power)[1] is None
            room.reader.pull()
        assert bool(room.doubtful) == _last_part_asked_and_not_confirmed(room)
    assert room.journal.cut_at == ""
    assert room.key_acts()[-1] == "key_confirmed"


def _last_part_asked_and_not_confirmed(room: KeyRoom) -> bool:
    found = False
    for entry in room.journal.entries():
        if entry.act == "key_part_asked" and (entry.facts or {})["part"] == 2:
            found = True
        elif entry.act == "key_confirmed":
            found = False
    return found


async def test_one_key_in_doubt_leaves_the_others(autojump_clock: MockClock, room: KeyRoom) -> None:
    """The bank's master key is refused, then a social security key is typed and confirmed: the first stays in doubt."""
    await room.custodian("1001")
    await room.custodian("1002", staff_key_check_value="refuse")
    room.pad.answers = [IN, LAST]
    for who in ("1003", "1004", "1003"):
        await room.custodian(who, staff_key_choose="social")
    assert room.pad.asked[-1] == (KeyPlace(1, 2), 2)
    assert room.facts("key_confirmed")["slot"] == 2
    assert room.doubtful == {"bank_master"}


async def test_nothing_is_loaded_under_a_key_in_doubt(autojump_clock: MockClock, room: KeyRoom) -> None:
    """The bank's sign-on and the fleet's blocks ask before they use a key; after it is confirmed both are told anew."""
    settings = room.kiosk.desk.settings
    before = bank_keys_under(room.journal, settings)
    await room.custodian("1001")
    await room.custodian("1002")
    assert bank_keys_under(room.journal, settings) is None
    assert master_in_doubt(room.journal, settings, 0)
    assert not master_in_doubt(room.journal, settings, 1)
    await room.custodian("1001")
    assert bank_keys_under(room.journal, settings) not in (None, before)
    assert not master_in_doubt(room.journal, settings, 0)


async def test_the_fleet_hears_the_check_value(autojump_clock: MockClock, room: KeyRoom) -> None:
    """Of each key the value that both confirmed, and whether it is in doubt since; of one never typed here neither."""
    agent = ForAgent(room.kiosk.desk, lambda: 0, lambda: None, "0.1.0")
    nothing = TypedKeyTold()
    assert typed_keys_of(await agent.health()) == {"bank_master": nothing, "social": nothing}
    for who in ("1001", "1002", "1001"):
        await room.custodian(who)
    told = {"bank_master": TypedKeyTold(check_value="8CA64DE9"), "social": nothing}
    assert typed_keys_of(await agent.health()) == told
    room.pad.answers = [IN, LAST]
    for who in ("1001", "1002"):
        await room.custodian(who)
    told["bank_master"] = TypedKeyTold(check_value="8CA64DE9", in_doubt=True)
    assert typed_keys_of(await agent.health()) == told


async def test_staff_see_which_key_is_not_in_use(autojump_clock: MockClock, room: KeyRoom) -> None:
    """On the page of what is wrong, until both have confirmed it."""

    async def rows() -> list[str]:
        await room.visit(room.card("1009", "clerk"), staff_menu=["status", "finish"], staff_status="back")
        page = next(one for one in room.kiosk.screen.asked if one.name == "staff_status")
        assert isinstance(page.body, Figures)
        return [str(row.label.args.get("name")) for row in page.body.rows if row.label.msgid == "Key {name}"]

    assert await rows() == []
    await room.custodian("1001")
    await room.custodian("1002")
    assert await rows() == ["bank_master"]
    await room.custodian("1001")
    assert await rows() == []
    write_load(room.journal, "0/2", True, key="b1", result="differs")
    assert await rows() == ["0/2"]


async def test_back_in_service_is_not_done_here(autojump_clock: MockClock, room: KeyRoom) -> None:
    """Whoever took it out of service brings it back; a confirmed key alone does not."""
    for who in ("1001", "1002", "1001"):
        await room.custodian(who)
    assert room.kiosk.desk.opening.out_of_service
    assert BACK not in room.acts()
