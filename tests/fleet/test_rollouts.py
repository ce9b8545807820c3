"""Software in waves: proposed, approved, given, judged, and back again."""

from dataclasses import dataclass

import peewee
import pytest

from provisioning.fleet import audit, proposals
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.rollouts.advance import LOOK_MS, advance, advance_all
from provisioning.fleet.rollouts.plan import PlannedWave, pause, propose, resume, rollout_of, stop, waves_of
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.places import Place
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.software import Action, DistributionSet, TerminalSoftware
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from provisioning.fleet.software.assign import assign
from provisioning.fleet.software.catalogue import add_artifact, make_module, put_aside, put_modules, take_module
from provisioning.fleet.software.store import Kept
from provisioning.rules.rollouts import Gate
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import make_person
from tests.fleet.terminals import add_terminal

OPERATOR, APPROVER = Actor(CITY, "person:operator"), Actor(CITY, "person:approver")
GATE = Gate(soak_s=60)
MINUTE = 60_000


@dataclass
class Halls:
    """Two halls of five terminals each, which have version 1."""

    places: tuple[Place, Place]
    old: DistributionSet
    new: DistributionSet
    now_ms: int = 1_000_000

    def rollout(self, gate: Gate = GATE) -> Rollout:
        """Proposed and approved: the first hall, then the second."""
        waves = [PlannedWave(f"hall {number}", (place.id,)) for number, place in enumerate(self.places, 1)]
        number = propose(OPERATOR, "version 2", self.new.id, waves, gate, "a repair", self.now_ms)
        proposals.approve(APPROVER, number, self.now_ms)
        return Rollout.get(Rollout.tenant == CITY)

    def look(self, minutes: float = 1) -> None:
        self.now_ms += int(minutes * MINUTE)
        advance_all(self.now_ms)

    def getting(self) -> list[str]:
        """Terminals with an active action, as ``T0000001>2``."""
        going = Action.select().where(Action.active & (Action.status != "canceling")).order_by(Action.id)
        return [f"{one.terminal.terminal_id}>{one.set.version}" for one in going]

    def ends(self, terminal: str, status: str = "finished") -> None:
        """What DDI writes when a terminal closes its newest action. It is heard from, too."""
        row = Terminal.get(Terminal.terminal_id == terminal)
        action = Action.select().where((Action.terminal == row) & Action.active).order_by(Action.id.desc()).get()
        Action.update(status=status, active=False).where((Action.terminal == row) & Action.active).execute()
        if status == "finished":
            TerminalSoftware.update(installed=action.set_id).where(TerminalSoftware.terminal == row).execute()
        self.heard(terminal)

    def heard(self, terminal: str, **told: object) -> None:
        row = Terminal.get(Terminal.terminal_id == terminal)
        TerminalHealth.insert(terminal=row.id, seen_ms=self.now_ms, **told).on_conflict(
            conflict_target=[TerminalHealth.terminal], preserve=[TerminalHealth.seen_ms], update=told
        ).execute()


@pytest.fixture
def halls(database: peewee.Database) -> Halls:
    city = Place.get(Place.tenant == CITY)
    for role in ("operator", "approver"):
        make_person(CITY, role, role)
    made = []
    for number in (1, 2):
        hall = Place.create(tenant=CITY, parent=city, kind="hall", name_zh="厅", name_en="hall", path="")
        hall.path = f"{city.path}{hall.id}/"
        hall.save()
        made.append(hall)
        for place in range(5):
            terminal = add_terminal(f"T{number}00000{place}", CITY)
            Terminal.update(place=hall).where(Terminal.id == terminal.id).execute()
    common = {"tenant": CITY, "kind": "app", "name": "kiosk", "created_by": "x", "changed_by": "x"}
    old, new = (DistributionSet.create(version=version, created_ms=0, changed_ms=0, **common) for version in ("1", "2"))
    for terminal in Terminal.select():
        TerminalSoftware.create(terminal=terminal, installed=old)
    return Halls((made[0], made[1]), old, new)


FIRST = [f"T100000{place}" for place in range(5)]
SECOND = [f"T200000{place}" for place in range(5)]


def test_nothing_moves_before_another_person_approved(halls: Halls) -> None:
    """Nobody approves what they proposed."""
    number = propose(OPERATOR, "version 2", halls.new.id, [PlannedWave("all", (halls.places[0].id,))], GATE, "x", 1)
    with pytest.raises(Refused):
        proposals.approve(OPERATOR, number, halls.now_ms)
    halls.look()
    assert halls.getting() == []


def test_one_wave_after_the_other(halls: Halls) -> None:
    """The second begins when the first has stood well for its time, not before."""
    rollout = halls.rollout()
    halls.look()
    assert halls.getting() == [f"{terminal}>2" for terminal in FIRST]
    for terminal in FIRST:
        halls.ends(terminal)
    halls.look()
    assert halls.getting() == [], "it must stand a while"
    halls.look()
    assert halls.getting() == [f"{terminal}>2" for terminal in SECOND]
    for terminal in SECOND:
        halls.ends(terminal)
    halls.look()
    halls.look()
    assert rollout_of(OPERATOR, rollout.id).state == "finished"
    acts = [row.act for row in AuditRow.select().where(AuditRow.who == "fleet").order_by(AuditRow.seq)]
    assert acts == ["wave_began", "wave_joined", "wave_passed"] * 2
    assert audit.verify(CITY).broken_at == 0


def second_wave(halls: Halls) -> Rollout:
    rollout = halls.rollout()
    halls.look()
    for terminal in FIRST:
        halls.ends(terminal)
    halls.look()
    halls.look()
    return rollout


def test_a_wave_that_is_not_well_returns_as_a_whole(halls: Halls) -> None:
    """Of the second wave two failed: all five get version 1 again, the first hall keeps version 2."""
    rollout = second_wave(halls)
    halls.ends(SECOND[0])
    halls.ends(SECOND[1], "error")
    halls.look()
    state = rollout_of(OPERATOR, rollout.id)
    assert (state.state, state.why) == ("returning", "hall 2: errors")
    assert sorted(halls.getting()) == [f"{terminal}>1" for terminal in SECOND]
    for terminal in SECOND:
        halls.ends(terminal)
    halls.look()
    assert [wave.state for wave in waves_of(rollout)] == ["passed", "returned"]
    assert rollout_of(OPERATOR, rollout.id).state == "returned"
    halls.look()
    assert halls.getting() == []
    has = {row.terminal.terminal_id: row.installed.version for row in TerminalSoftware.select()}
    assert has == {**dict.fromkeys(FIRST, "2"), **dict.fromkeys(SECOND, "1")}


def test_residents_who_fail_return_it_too(halls: Halls) -> None:
    """Installed without an error, but residents do not get through: interactions are a bound like errors."""
    rollout = halls.rollout()
    halls.look()
    for terminal in FIRST:
        halls.ends(terminal)
        halls.heard(terminal, report={"use": {"sessions": 10, "failed_interactions": 4}})
    halls.look()
    assert rollout_of(OPERATOR, rollout.id).why == "hall 1: failed_interactions"


def test_a_growing_queue_returns_it_too(halls: Halls) -> None:
    """Notices that no longer leave the terminals count from what there was before."""
    for terminal in FIRST:
        halls.heard(terminal, unsent_count=100)
    rollout = halls.rollout()
    halls.look()
    for terminal in FIRST:
        halls.ends(terminal)
        halls.heard(terminal, unsent_count=106)
    halls.look()
    assert rollout_of(OPERATOR, rollout.id).why == "hall 1: unsent"


def test_a_dark_terminal_is_waited_for_and_a_live_one_not_for_ever(halls: Halls) -> None:
    """Silence is no failure; a terminal that is heard and does not get ready is one."""
    rollout = halls.rollout()
    halls.look()
    for terminal in FIRST[1:]:
        halls.ends(terminal)
    halls.look(GATE.overdue_s)
    assert rollout_of(OPERATOR, rollout.id).state == "running"
    halls.heard(FIRST[0])
    halls.look()
    assert rollout_of(OPERATOR, rollout.id).why == "hall 1: overdue"


def test_late_joiners_get_it(halls: Halls) -> None:
    """A terminal that is enrolled at a place of a wave, also long after the end."""
    second_wave(halls)
    for terminal in SECOND:
        halls.ends(terminal)
    halls.look()
    halls.look()
    late = add_terminal("T1000009", CITY)
    Terminal.update(place=halls.places[0]).where(Terminal.id == late.id).execute()
    halls.look()
    assert halls.getting() == ["T1000009>2"]


def test_paused_nobody_gets_it_and_stopped_never(halls: Halls) -> None:
    """A person holds it, goes on, and ends it; each with a reason."""
    rollout = halls.rollout()
    for who in (APPROVER, make_person(CITY, "beside", "operator", place=halls.places[0].id)):
        with pytest.raises(Refused, match="not yours"):
            pause(who, rollout.id, "lunch", halls.now_ms)
    pause(OPERATOR, rollout.id, "lunch", halls.now_ms)
    halls.look()
    assert halls.getting() == []
    resume(OPERATOR, rollout.id, "go on", halls.now_ms)
    halls.look()
    assert len(halls.getting()) == 5
    stop(OPERATOR, rollout.id, "enough", halls.now_ms)
    with pytest.raises(Refused):
        resume(OPERATOR, rollout.id, "again", halls.now_ms)


def test_another_city_finds_none_of_it(halls: Halls) -> None:
    """Neither the rollout nor the set nor the place of this city."""
    rollout = halls.rollout()
    stranger = Actor(OTHER, "person:stranger")
    with pytest.raises(NotFound):
        rollout_of(stranger, rollout.id)
    with pytest.raises(NotFound):
        propose(stranger, "mine", halls.new.id, [PlannedWave("all", (halls.places[0].id,))], GATE, "x", 1)


def test_two_processes_look_once(halls: Halls) -> None:
    """Whoever comes within the same interval finds that it was looked at."""
    halls.rollout()
    assert advance_all(halls.now_ms + LOOK_MS) == 1
    assert advance_all(halls.now_ms + LOOK_MS + 1) == 0


def test_who_was_retired_is_waited_for_no_more(halls: Halls) -> None:
    """A wave passes, and another one returns, without a terminal that will not come back; its error still counts."""
    rollout = halls.rollout(Gate(soak_s=60, success_percent_min=100.0))
    halls.look()
    for number in range(4):
        halls.ends(f"T100000{number}")
    halls.look(2)
    halls.look(2)
    assert waves_of(rollout)[0].state == "running"
    Terminal.update(state="retired").where(Terminal.terminal_id == "T1000004").execute()
    halls.look(2)
    halls.look(2)
    assert waves_of(rollout)[0].state == "passed"
    for number in range(3):
        halls.ends(f"T200000{number}", "error")
    halls.look()
    assert Rollout.get_by_id(rollout.id).state == "returning"
    Terminal.update(state="stopped").where(Terminal.terminal_id.in_(["T2000003", "T2000002"])).execute()
    for number in (0, 1, 4):
        halls.ends(f"T200000{number}")
    halls.look()
    assert Rollout.get_by_id(rollout.id).state == "returned"


def test_a_set_that_was_put_aside_holds_its_rollout_and_no_other(halls: Halls) -> None:
    """It is paused with the reason; a rollout beside it goes on, and the server too."""
    rollout = halls.rollout()
    put_aside(OPERATOR, halls.new, halls.now_ms)
    number = propose(OPERATOR, "old", halls.old.id, [PlannedWave("all", (halls.places[0].id,))], GATE, "x", 1)
    proposals.approve(APPROVER, number, halls.now_ms)
    halls.look()
    state = rollout_of(OPERATOR, rollout.id)
    assert (state.state, state.why) == ("paused", "its set was put aside")
    assert halls.getting() == [f"{terminal}>1" for terminal in FIRST]


def test_a_wave_returns_also_to_what_was_put_aside(halls: Halls) -> None:
    """Somebody tidied up the old version: terminals that are not well get it back all the same."""
    rollout = second_wave(halls)
    put_aside(OPERATOR, halls.old, halls.now_ms)
    halls.ends(SECOND[0], "error")
    halls.look()
    assert rollout_of(OPERATOR, rollout.id).state == "returning"
    assert sorted(halls.getting()) == [f"{terminal}>1" for terminal in SECOND]


def test_what_a_person_gave_since_is_not_taken_by_a_wave_that_returns(halls: Halls) -> None:
    """One terminal was given a repair by hand; the others go back, it does not."""
    second_wave(halls)
    common = {"tenant": CITY, "kind": "app", "name": "kiosk", "created_by": "x", "changed_by": "x"}
    repair = DistributionSet.create(version="3", created_ms=0, changed_ms=0, **common)
    assign(OPERATOR, [Terminal.get(Terminal.terminal_id == SECOND[0]).id], repair.id, halls.now_ms)
    halls.ends(SECOND[1], "error")
    halls.look()
    assert sorted(halls.getting()) == [f"{SECOND[0]}>3", *(f"{terminal}>1" for terminal in SECOND[1:])]


def test_a_late_joiner_of_two_rollouts_keeps_the_later_one(halls: Halls) -> None:
    """Whichever rollout looks first, nobody is brought back to the version before."""
    halls.rollout()
    halls.look()
    for terminal in FIRST:
        halls.ends(terminal)
    common = {"tenant": CITY, "kind": "app", "name": "kiosk", "created_by": "x", "changed_by": "x"}
    newest = DistributionSet.create(version="3", created_ms=0, changed_ms=0, **common)
    hall = [PlannedWave("all", (halls.places[0].id,))]
    number = propose(OPERATOR, "version 3", newest.id, hall, GATE, "x", halls.now_ms)
    proposals.approve(APPROVER, number, halls.now_ms)
    late = add_terminal("T1000009", CITY)
    Terminal.update(place=halls.places[0]).where(Terminal.id == late.id).execute()
    for rollout in Rollout.select().order_by(Rollout.id.desc()):
        advance(rollout.id, halls.now_ms + MINUTE)
    assert "T1000009>3" in halls.getting() and "T1000009>2" not in halls.getting()


def test_a_clock_that_was_set_back_holds_no_rollout(halls: Halls) -> None:
    """It was looked at in a year that is not yet; it is looked at now."""
    rollout = halls.rollout()
    Rollout.update(ticked_ms=halls.now_ms + 365 * 86_400_000).where(Rollout.id == rollout.id).execute()
    halls.look()
    assert len(halls.getting()) == 5


def test_what_is_proposed_changes_no_more(halls: Halls) -> None:
    """Neither parts nor files: what the approver agrees to is what terminals get."""
    module = make_module(OPERATOR, "application", "kiosk", "2", halls.now_ms)
    put_modules(OPERATOR, halls.new.id, [module.id], halls.now_ms)
    propose(OPERATOR, "version 2", halls.new.id, [PlannedWave("all", (halls.places[0].id,))], GATE, "x", 1)
    with pytest.raises(Refused):
        take_module(OPERATOR, halls.new.id, module.id, halls.now_ms)
    with pytest.raises(Refused):
        add_artifact(OPERATOR, module.id, "other.bin", Kept("00" * 32, "00" * 20, "00" * 16, 1), halls.now_ms)


def test_of_two_proposals_of_one_name_the_second_is_refused(halls: Halls) -> None:
    """Both wait; what was approved first has the name."""
    hall = [PlannedWave("all", (halls.places[0].id,))]
    numbers = [propose(OPERATOR, "version 2", halls.new.id, hall, GATE, "x", halls.now_ms) for _ in range(2)]
    proposals.approve(APPROVER, numbers[0], halls.now_ms)
    with pytest.raises(Refused) as refused:
        proposals.approve(APPROVER, numbers[1], halls.now_ms)
    assert refused.value.code == "name_taken"
