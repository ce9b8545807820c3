"""Staff read which software runs, what a stick brought and why not, and what is still on trial."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import trio

from kiosk.basics.control import SoftwareWord, agent_path, ask_software, serve_control
from kiosk.l10n import render
from kiosk.ports import Figures
from kiosk.ports.staff import StaffKiosk
from kiosk.staff.software import show_software
from provisioning.fleet.updates.stick import write_stick
from provisioning.terminal.privileged import NoPrivileged
from provisioning.terminal.updates.rows_by_stick import RowsByStick
from provisioning.terminal.updates.stick import signed_by_two
from provisioning.terminal.updates.stick_door import StickDoor
from provisioning.terminal.updates.tending import Tending
from tests.fleet.updates.bundles import bundle
from tests.fleet.updates.office import Office
from tests.fleet.updates.stand import Terminal
from tests.flows.reading_staff import ReadingStaff

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
AT_A_DESK = StickDoor(NoPrivileged())  # whoever reads the stick may write to it
AT_MS = int(NOW.timestamp() * 1000)


async def lines(word: SoftwareWord | None, language: str = "en") -> list[str]:
    """The page's rows, each "label | value | note", or its sentences where there is none."""
    staff = ReadingStaff(word, NOW)
    await show_software(cast(StaffKiosk, staff))
    (page,) = staff.asked
    assert page.name == "staff_software" and isinstance(page.body, Figures)
    rows = [(row.label, row.value, row.note) for row in page.body.rows]
    told = [" | ".join(render(cast(Any, one), language) for one in row if one) for row in rows]
    return told or [render(one, language) for one in page.explain]


@pytest.mark.parametrize(
    ("word", "row"),
    [
        (SoftwareWord(("1.0.0",)), "Version 1.0.0 | runs"),
        (SoftwareWord(version="1.1.0", step="prove"), "Version 1.1.0 | on trial"),
        (SoftwareWord(version="1.1.0", step="ready", waits="night"), "Version 1.1.0 | waits | night"),
        (SoftwareWord(stick="reading"), "Stick | is being read: leave it in"),
        (SoftwareWord(stick="taken", stick_version="1.1.0"), "Stick: version 1.1.0 | taken | It may be pulled out."),
        (SoftwareWord(stick="nothing_new"), "Stick | nothing newer on it | It may be pulled out."),
        (
            SoftwareWord(stick="wrong_content", stick_words="x: not what was signed"),
            "Stick | not taken: not signed for this terminal | x: not what was signed",
        ),
        (
            SoftwareWord(version="1.1.0", step="ready", stick="a resident is being served"),
            "Stick | waits | It may be pulled out.",
        ),
        (
            SoftwareWord(rows=0, rows_why="foreign"),
            "Records onto the stick | 0 files | none: this stick is not from the center, or is too old",
        ),
        (SoftwareWord(rows=2), "Records onto the stick | 2 files"),
        (
            SoftwareWord(rows=0, rows_why="read_only"),
            "Records onto the stick | 0 files | none: this stick cannot be written to",
        ),
        (
            SoftwareWord(events=((AT_MS - 3_600_000, "returned", "1.1.0", "slot pin_pad is fault"),)),
            "60 minutes ago: version 1.1.0 | went back | slot pin_pad is fault",
        ),
    ],
)
async def test_each_thing_has_its_row(word: SoftwareWord, row: str) -> None:
    """In words, with the next of kin of what the log says behind it; nothing that did not happen."""
    told = await lines(word)
    above = row.startswith("Stick | waits")  # of that one, the version waits above it
    assert told[-1] == row and len(told) == 1 + above


async def test_an_agent_that_does_not_say_is_told_so() -> None:
    """In both languages; an empty page would mean that all is well."""
    assert await lines(None) == ["The part that looks after software does not answer."]
    assert await lines(None, "zh") == ["管理软件的程序没有应答。"]


async def asked(folder: Path, answer: Callable[[], Awaitable[Any]]) -> SoftwareWord | None:
    """By the kiosk's own question, over a socket."""
    agent_path(str(folder)).parent.mkdir(parents=True, exist_ok=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, agent_path(str(folder)), {"updates": answer})
        word = await ask_software(str(folder))
        nursery.cancel_scope.cancel()
    return word


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path / "office")
    made.home.mkdir()
    made.begin()
    return made


async def test_what_a_stick_brought_reaches_the_page(office: Office, tmp_path: Path) -> None:
    """From the stick over the agent's socket: refused with its reason where a byte of it is another."""
    terminal, stick = Terminal(tmp_path / "terminal", office), tmp_path / "stick"
    stick.mkdir()
    office.release("1.0.0", bundle("1.0.0"))
    write_stick(office.repository, stick)
    (software,) = (stick / "yikatong/tuf/targets").iterdir()
    content = software.read_bytes()
    software.write_bytes(content[:-1] + bytes((content[-1] ^ 1,)))
    ours = partial(signed_by_two, terminal.trust)
    rows = RowsByStick(str(tmp_path / "nobody"), "T0000001", lambda event, **fields: None, ours, AT_A_DESK)
    terminal.stick.swap_journal = rows.swap
    tending = Tending(terminal.updates, terminal.stick, stick, rows=rows)
    assert tending.bring_stick() == {"stick": "begun"}
    reading = await asked(tmp_path / "run", told_by(tending))
    assert reading is not None and (reading.stick, reading.running) == ("reading", ("0.9.0",))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tending.run)
        with trio.fail_after(30):
            while isinstance(tending.told()["stick"], str):
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    page = await lines(await asked(tmp_path / "run", told_by(tending)))
    assert page[0] == "Version 0.9.0 | runs"
    assert page[1].startswith("Stick | not taken: not signed for this terminal | ")
    assert "not what was signed" in page[1] and any(row.startswith("Records onto the stick | 0 files") for row in page)


def told_by(tending: Tending) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    async def told() -> Mapping[str, Any]:
        return tending.told()

    return told


@pytest.mark.parametrize("answer", [{}, "done", {"running": {"application": "1"}, "last": [[1, 2]]}, {"error": "ask"}])
async def test_another_answer_is_none(tmp_path: Path, answer: Any) -> None:
    """An agent of another version breaks no page of staff."""

    async def told() -> Any:
        return answer

    assert await asked(tmp_path / "run", told) is None
