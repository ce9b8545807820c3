"""Which software runs here, what a stick brought and whether it was taken, and what is still on trial."""

from collections.abc import Iterator
from datetime import UTC, datetime

from kiosk.basics.control import SoftwareWord
from kiosk.domain.text import Text, say
from kiosk.ports import Answer, Figure, Figures, Question, Role
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.ages import age

EVENTS_SHOWN = 3
_STEPS: dict[str, Text] = {
    "load": say("is being fetched"),
    "write": say("is being written"),
    "ready": say("waits"),
    "switch": say("on trial"),
    "trial": say("on trial"),
    "prove": say("on trial"),
    "keep": say("on trial"),
    "back": say("is going back"),
}
_STICK: dict[str, Text] = {
    "reading": say("is being read: leave it in"),
    "taken": say("taken"),
    "nothing_new": say("nothing newer on it"),
    "none": say("no stick with software"),
    "busy": say("not taken: another version is being put in"),
    "silent": say("not taken: pulled out, or broken"),
    "no_room": say("not taken: no room left here"),
    "returned": say("tried, and went back"),
}
PULL_OUT = say("It may be pulled out.")
NOT_OURS = say("not taken: not signed for this terminal")
_ROWS: dict[str, Text] = {
    "silent": say("none: the books do not answer"),
    "full": say("not all: the stick is full"),
    "read_only": say("none: this stick cannot be written to"),
    "foreign": say("none: this stick is not from the center, or is too old"),
}
_EVENTS: dict[str, Text] = {
    "loaded": say("fetched"),
    "installed": say("put in, and well"),
    "returned": say("went back"),
    "refused": say("refused"),
    "canceled": say("called off"),
}


async def show_software(kiosk: StaffKiosk) -> None:
    """Raises: Back, ResidentLeft, CardGone."""
    word = await kiosk.software()
    back = Answer("back", say("Go back"), Role.BACK)
    explain = () if word else (say("The part that looks after software does not answer."),)
    rows = Figures(tuple(_rows(kiosk, word)) if word else (), secret=False)
    await kiosk.ask(Question("staff_software", say("Software and sticks"), explain, rows, (back,)))


def _rows(kiosk: StaffKiosk, word: SoftwareWord) -> Iterator[Figure]:
    for version in word.running:
        yield Figure(_version(version), say("runs"))
    if word.version:
        yield Figure(_version(word.version), _STEPS.get(word.step, say("waits")), _as_told(word.waits))
    if word.stick:
        name = say("Stick: version {words}", words=word.stick_version) if word.stick_version else say("Stick")
        waits = word.version and word.stick not in _STICK  # what it brought is here, and not refused
        note = _as_told(word.stick_words) if word.stick in ("reading", "none") or word.stick_words else PULL_OUT
        yield Figure(name, say("waits") if waits else _STICK.get(word.stick, NOT_OURS), note)
    if word.rows >= 0:
        taken = say("{count} files", count=word.rows)
        note = _ROWS.get(word.rows_why, say("not all: the stick was pulled out, or is broken"))
        yield Figure(say("Records onto the stick"), taken, note if word.rows_why else None)
    for at_ms, what, version, why in reversed(word.events[-EVENTS_SHOWN:]):
        then = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
        name = say("{age} ago: version {words}", age=age(kiosk, then), words=version or "?")
        yield Figure(name, _EVENTS.get(what, say("{words}", words=what)), _as_told(why))


def _version(version: str) -> Text:
    return say("Version {words}", words=version)


def _as_told(words: str) -> Text | None:
    """As it is: what staff tell the workshop."""
    return say("{words}", words=words) if words else None
