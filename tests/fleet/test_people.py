"""Signing in, sessions, invitations and roles of people."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import peewee
import pyotp
import pytest
from argon2 import PasswordHasher

from provisioning.fleet import proposals
from provisioning.fleet.__main__ import main as fleet
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import open_database
from provisioning.fleet.people import invitations, lanes, own_password, passwords, persons, second_factor, sessions
from provisioning.fleet.people.held import held_by
from provisioning.fleet.people.sealing import Seal, Unreadable, load_seal
from provisioning.fleet.people.sign_in import Attempt, SignedIn, sign_in
from provisioning.fleet.schema.audit import AuditRow
from provisioning.fleet.schema.people import Grant, Person, Session
from provisioning.fleet.schema.places import PROVINCE, Place, Tenant
from tests.fleet.conftest import CITY, OTHER
from tests.fleet.people import CHEAP, PASSWORD, SECRET, make_person, may_sign_in

SEAL = Seal(b"k" * 32)
NOW = 1_700_000_000_000
ADDRESS = "192.0.2.7"


def code_at(at_ms: int) -> str:
    return str(pyotp.TOTP(SECRET).at(at_ms // 1000))


def attempt(login: str = "wang", password: str = PASSWORD, at_ms: int = NOW, **other: str) -> Attempt:
    return Attempt(**{"login": login, "password": password, "code": code_at(at_ms), "address": ADDRESS, **other})


@pytest.fixture
def wang(database: peewee.Database) -> Actor:
    actor = make_person(CITY, "wang", "operator")
    may_sign_in("wang", SEAL)
    return actor


def test_signing_in_opens_a_session(wang: Actor) -> None:
    """Login, password and code together open one; the table has no token that opens anything."""
    opened = sign_in(attempt(), SEAL, NOW)
    person = sessions.person_of(opened.token, NOW + 1)
    assert person is not None and person.login == "wang"
    assert opened.token not in {row.token_hash for row in Session.select()}


@pytest.mark.parametrize(
    "wrong",
    [{"password": "another password"}, {"code": "000000"}, {"login": "nobody"}, {"code": ""}, {"password": ""}],
    ids=str,
)
def test_sign_in_refused(wang: Actor, wrong: dict[str, str]) -> None:
    """Whatever was wrong, the answer is the same, and the person's trail has it."""
    with pytest.raises(Refused, match="Login, password or code") as refusal:
        sign_in(attempt(**wrong), SEAL, NOW)
    assert refusal.value.code == "wrong" and Session.select().count() == 0
    assert [row.act for row in AuditRow.select()] == ([] if "login" in wrong else ["sign_in_refused"])


def test_sign_in_refused_with_a_code_that_was_used(wang: Actor) -> None:
    """A code over somebody's shoulder opens nothing a second time, and no older one after it."""
    sign_in(attempt(), SEAL, NOW)
    for at_ms in (NOW, NOW - second_factor.STEP_MS):
        with pytest.raises(Refused):
            sign_in(attempt(at_ms=at_ms), SEAL, NOW)


def test_a_clock_that_was_set_back_closes_no_login(wang: Actor) -> None:
    """Tries that were counted in a year that is not yet end with their window, as all others."""
    for _ in range(lanes.LOGIN_TRIES):
        lanes.try_once(lanes.lanes_of("wang", ADDRESS, ""), NOW + 365 * 86_400_000)
    assert sign_in(attempt(), SEAL, NOW).person.login == "wang"


def test_sign_in_refused_after_many_tries_but_not_to_a_known_browser(wang: Actor) -> None:
    """A stranger closes the login for strangers; the browser that signed in before still does, as do others."""
    browser = sign_in(attempt(), SEAL, NOW).browser
    make_person(CITY, "li", "viewer")
    may_sign_in("li", SEAL)
    for _ in range(lanes.LOGIN_TRIES):
        with pytest.raises(Refused, match="not right"):
            sign_in(attempt(password="guess guess guess", address="198.51.100.1"), SEAL, NOW)
    later = NOW + second_factor.STEP_MS
    with pytest.raises(Refused, match="15 minutes"):
        sign_in(attempt(at_ms=later), SEAL, later)
    assert sign_in(attempt(at_ms=later, browser=browser), SEAL, later).person.login == "wang"
    assert sign_in(attempt("li", at_ms=later), SEAL, later).person.login == "li"
    again = later + lanes.WINDOW_MS
    assert sign_in(attempt(at_ms=again), SEAL, again).person.login == "wang"


def test_sign_in_refused_by_address(wang: Actor) -> None:
    """One address that tries many logins is stopped, and its neighbours in one IPv6 network with it."""
    for number in range(lanes.ADDRESS_TRIES):
        assert lanes.try_once(lanes.lanes_of(f"nobody{number}", f"2001:db8::{number:x}", ""), NOW)
    with pytest.raises(Refused, match="15 minutes"):
        sign_in(attempt(address="2001:db8::ffff"), SEAL, NOW)
    assert sign_in(attempt(address="2001:db8:0:1::1"), SEAL, NOW).person.login == "wang"


def test_a_forged_browser_is_a_stranger(wang: Actor) -> None:
    """What another person's browser kept, or what somebody made up, opens no lane of its own."""
    kept = sign_in(attempt(), SEAL, NOW).browser
    make_person(CITY, "li", "viewer")
    may_sign_in("li", SEAL)
    for _ in range(lanes.LOGIN_TRIES):
        with pytest.raises(Refused):
            sign_in(attempt("li", password="guess guess guess"), SEAL, NOW)
    for browser in (kept, "made.up", "."):
        with pytest.raises(Refused, match="15 minutes"):
            sign_in(attempt("li", browser=browser), SEAL, NOW)


def test_sessions_end(wang: Actor) -> None:
    """After a quarter of an hour without use, after twelve hours with, and at once when the person is stopped."""

    def opened(at_ms: int) -> SignedIn:
        return sign_in(attempt(at_ms=at_ms), SEAL, at_ms)

    idle = opened(NOW).token
    assert sessions.person_of(idle, NOW + sessions.IDLE_MS - 1, used=False) is not None
    assert sessions.person_of(idle, NOW + sessions.IDLE_MS) is None
    busy, at_ms = opened(NOW + 60_000).token, NOW + 60_000
    while at_ms < NOW + 60_000 + sessions.LONGEST_MS - 1:
        assert sessions.person_of(busy, at_ms) is not None
        at_ms += sessions.IDLE_MS - 1
    assert sessions.person_of(busy, NOW + 60_000 + sessions.LONGEST_MS) is None
    stopped = opened(at_ms + 120_000).token
    Person.update(active=False).execute()
    assert sessions.person_of(stopped, at_ms + 120_001) is None


def test_a_new_password_ends_other_sessions(wang: Actor) -> None:
    """The browser in which it was changed stays signed in; the old password opens nothing."""
    here = sign_in(attempt(), SEAL, NOW).token
    later = NOW + second_factor.STEP_MS
    elsewhere = sign_in(attempt(at_ms=later), SEAL, later).token
    at_ms = later + second_factor.STEP_MS
    person = Person.get(Person.login == "wang")
    own_password.change(person, PASSWORD, code_at(at_ms), "a new and long one", here, SEAL, at_ms)
    assert sessions.person_of(here, at_ms) is not None and sessions.person_of(elsewhere, at_ms) is None
    last = at_ms + second_factor.STEP_MS
    with pytest.raises(Refused):
        sign_in(attempt(at_ms=last), SEAL, last)
    own_password.sign_out_everywhere(person, last)
    assert sessions.person_of(here, last) is None


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaa", "my name is WANG", "x" * 129])
def test_a_weak_password_is_refused(wang: Actor, weak: str) -> None:
    """Short, monotonous, with the login in it, or without end: each is refused before anything changes."""
    with pytest.raises(Refused):
        own_password.change(Person.get(), PASSWORD, code_at(NOW), weak, "", SEAL, NOW)
    assert Person.get().totp_last == 0


@pytest.fixture
def officers(database: peewee.Database) -> tuple[Actor, Actor]:
    """A security administrator and an approver."""
    return make_person(CITY, "security", "security_admin"), make_person(CITY, "approver", "approver")


Invited = tuple[str, str]


@pytest.fixture
def invited(officers: tuple[Actor, Actor]) -> Invited:
    """Link and code of a new person zhao."""
    security, approver = officers
    root = persons.root(CITY)
    number = persons.propose_person(security, "zhao", "赵", "operator", root.id, "new at the desk", NOW)
    proposals.approve(approver, number, NOW)
    invitation = invitations.open_for(security, NOW)[0].id
    return invitations.new_link(security, invitation, NOW), invitations.new_code(approver, invitation, NOW)


def test_an_invited_person_makes_their_own_password(invited: Invited) -> None:
    """With link and code; then they sign in, hold the role they were given, and the link is worth nothing."""
    link, code = invited
    person, secret = invitations.begin(link, code, SEAL, NOW)
    assert invitations.begin(link, code, SEAL, NOW) == (person, secret)
    totp = str(pyotp.TOTP(secret).at(NOW // 1000))
    invitations.accept(link, code, "a password of my own", totp, SEAL, NOW)
    later = NOW + second_factor.STEP_MS
    chosen = Attempt("zhao", "a password of my own", str(pyotp.TOTP(secret).at(later // 1000)), ADDRESS)
    assert sign_in(chosen, SEAL, later).person.name == "赵"
    assert [held.role for held in held_by(Actor(CITY, "person:zhao"))] == ["operator"]
    with pytest.raises(Refused, match="nothing any more"):
        invitations.begin(link, code, SEAL, NOW)


def test_an_invitation_refused_with_wrong_codes_dies(invited: Invited) -> None:
    """After five wrong codes the right one does not open it either."""
    link, code = invited
    wrong = "00000000" if code != "00000000" else "00000001"
    for _ in range(invitations.TRIES_MAX):
        with pytest.raises(Refused, match="not the right one"):
            invitations.begin(link, wrong, SEAL, NOW)
    with pytest.raises(Refused, match="nothing any more"):
        invitations.begin(link, code, SEAL, NOW)


@pytest.mark.parametrize(
    ("at_ms", "totp", "words"),
    [(NOW + invitations.STANDS_MS, "right", "nothing any more"), (NOW, "000000", "authenticator")],
)
def test_an_invitation_is_refused(invited: Invited, at_ms: int, totp: str, words: str) -> None:
    """After three days, and where the authenticator was not set up."""
    link, code = invited
    _, secret = invitations.begin(link, code, SEAL, NOW)
    digits = str(pyotp.TOTP(secret).at(at_ms // 1000)) if totp == "right" else totp
    with pytest.raises(Refused, match=words):
        invitations.accept(link, code, "a password of my own", digits, SEAL, at_ms)
    assert Person.get(Person.login == "zhao").password_hash == ""


def test_neither_officer_has_both_halves(officers: tuple[Actor, Actor], invited: Invited) -> None:
    """Who has the link is told no code, and the other way round."""
    security, approver = officers
    invitation = invitations.open_for(security, NOW)[0].id
    with pytest.raises(NotFound):
        invitations.new_code(security, invitation, NOW)
    with pytest.raises(NotFound):
        invitations.new_link(approver, invitation, NOW)
    with pytest.raises(NotFound):
        invitations.new_link(Actor(OTHER, security.who), invitation, NOW)


def test_rights_are_refused_to_oneself(officers: tuple[Actor, Actor]) -> None:
    """An approver does not approve a role of their own."""
    security, approver = officers
    number = persons.propose_grant(security, "approver", "operator", persons.root(CITY).id, "help", NOW)
    with pytest.raises(Refused, match="for themselves"):
        proposals.approve(approver, number, NOW)
    assert {held.role for held in held_by(approver)} == {"approver"}


Propose = Callable[[Actor], int]
REFUSED: dict[str, Propose] = {
    "two administrators": lambda who: persons.propose_grant(who, "security", "auditor", _root(), "why", NOW),
    "no such role": lambda who: persons.propose_grant(who, "approver", "king", _root(), "why", NOW),
    "login taken": lambda who: persons.propose_person(who, "approver", "赵", "viewer", _root(), "why", NOW),
    "login with spaces": lambda who: persons.propose_person(who, "zhao li", "赵", "viewer", _root(), "why", NOW),
    "no name": lambda who: persons.propose_person(who, "zhao", " ", "viewer", _root(), "why", NOW),
    "no reason": lambda who: persons.propose_person(who, "zhao", "赵", "viewer", _root(), " ", NOW),
}


def _root() -> int:
    return int(persons.root(CITY).id)


@pytest.mark.parametrize("case", REFUSED)
def test_a_grant_is_refused(officers: tuple[Actor, Actor], case: str) -> None:
    """What cannot be is refused when it is proposed."""
    with pytest.raises(Refused):
        REFUSED[case](officers[0])
    assert Grant.select().count() == 2


def test_people_of_other_cities_are_nobody(officers: tuple[Actor, Actor]) -> None:
    """Another city's person is given nothing here; one of the province may be, and then stands in the list."""
    make_person(OTHER, "stranger", "viewer")
    make_person(PROVINCE, "province", "viewer")
    security, approver = officers
    with pytest.raises(NotFound):
        persons.propose_grant(security, "stranger", "viewer", _root(), "why", NOW)
    assert [person.login for person in persons.people(security)] == ["approver", "security"]
    proposals.approve(approver, persons.propose_grant(security, "province", "viewer", _root(), "why", NOW), NOW)
    assert [person.login for person in persons.people(security)] == ["approver", "province", "security"]


def test_taking_away_is_at_once(officers: tuple[Actor, Actor]) -> None:
    """A role and a person are taken away by one security administrator, of this city and with a reason."""
    security, approver = officers
    grant = Grant.get(Grant.role == "approver").id
    for who, why, error in ((approver, "why", Refused), (security, " ", Refused), (Actor(OTHER, "x"), "w", NotFound)):
        with pytest.raises(error):
            persons.take_away(who, grant, why, NOW)
    persons.take_away(security, grant, "left the office", NOW)
    assert held_by(approver) == ()
    persons.stop(security, "approver", "left the office", NOW)
    assert not Person.get(Person.login == "approver").active


def test_what_is_sealed_opens_only_for_its_purpose(tmp_path: Path) -> None:
    """The key is made once; another key, or another person's row, opens nothing."""
    seal = load_seal(tmp_path)
    assert load_seal(tmp_path).key == seal.key and (tmp_path / "console.key").stat().st_mode & 0o777 == 0o600
    sealed = seal.close("secret", "totp:wang")
    assert seal.open(sealed, "totp:wang") == "secret" and "secret" not in repr(seal)
    for other, purpose in ((seal, "totp:li"), (SEAL, "totp:wang")):
        with pytest.raises(Unreadable):
            other.open(sealed, purpose)


def test_a_flood_of_sign_ins_is_refused(wang: Actor) -> None:
    """While so many passwords are judged that no thread would be left for others, the next one is sent away."""
    with ExitStack() as line:
        while passwords.IN_LINE.acquire(blocking=False):
            line.callback(passwords.IN_LINE.release)
        with pytest.raises(Refused, match="at this moment"):
            sign_in(attempt(), SEAL, NOW)
    assert sign_in(attempt(), SEAL, NOW).person.login == "wang"


def test_the_first_person_is_made_on_the_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By a command that tells password and second factor once; also for the last one who lost a phone."""
    home = tmp_path / "fleet"
    (tmp_path / "fleet.toml").write_text(f'home = "{home}"\npublic = "{tmp_path}/public"\n')
    begins = ["--settings", str(tmp_path / "fleet.toml"), "person"]
    who = ["--city", CITY, "--login", "wang"]
    assert fleet([*begins, "add", *who, "--name", "王", "--role", "security_admin"]) == 1
    with open_database(f"sqlite:///{home}/fleet.db").connection_context():
        Tenant.create(code=CITY, name_zh=CITY, name_en=CITY, created_ms=0)
        root = Place.create(tenant=CITY, kind="city", name_zh=CITY, name_en=CITY, path="/1/")
    for words in (["add", *who, "--name", "王", "--role", "security_admin"], ["reset", *who]):
        capsys.readouterr()
        assert fleet([*begins, *words]) == 0
        told = capsys.readouterr().out
        password = told.partition("password: ")[2].partition("\n")[0]
        totp = pyotp.parse_uri(told.partition("told once: ")[2].strip())
        assert isinstance(totp, pyotp.TOTP)
        chosen = Attempt("wang", password, totp.at(NOW // 1000), ADDRESS)
        assert sign_in(chosen, load_seal(home), NOW).person.name == "王"
    assert [held.path for held in held_by(Actor(CITY, "person:wang"))] == [root.path]
    refused = [["add", *who, "--name", "王", "--role", "viewer"], ["reset", "--city", CITY, "--login", "nobody"]]
    assert [fleet([*begins, *words]) for words in refused] == [1, 1]


def test_cheap_hashes_are_for_tests_only() -> None:
    """What tests use to be quick is another setting than the product's."""
    assert CHEAP.memory_cost < PasswordHasher().memory_cost
