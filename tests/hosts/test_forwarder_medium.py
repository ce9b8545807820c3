"""The real forwarder, killed and started again, beside a journal that grows: what the other copies miss is told."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from kiosk.basics.control import ask_second_copy
from kiosk.doctor.findings import ledger_findings, second_medium_findings
from kiosk.domain.ledger import SILENT
from kiosk.settings.config import load_settings
from offline_queue.copies import open_copies
from simulators.hosts.medium_files import read_medium
from tests.hosts.conftest import Town
from tests.hosts.test_forwarder import ARRIVES_S_MAX, Terminal

KILLS = 2


@pytest.fixture
def terminal(town: Town, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(town, tmp_path)
    card = tmp_path / "card"
    card.mkdir()
    made.file.write_text(f'{made.file.read_text()}\n[journal]\nsecond_medium = "{card}"\n')
    made.settings = load_settings(made.file)
    yield made
    made.journal.close()


def on_card(card: Path) -> list[tuple[int, str]]:
    return [(row.seq, row.link) for file in sorted(card.glob("*.rows")) for row in read_medium(file).rows]


async def until_all_is_on(terminal: Terminal) -> None:
    card, copies = Path(terminal.settings.journal.second_medium), open_copies(Path(terminal.settings.data_dir))
    with trio.fail_after(ARRIVES_S_MAX):
        while len(on_card(card)) < copies.newest():
            await trio.sleep(0.2)


async def verdicts(terminal: Terminal) -> list[tuple[str, str]]:
    return [(one.verdict, one.why) for one in await second_medium_findings(terminal.settings)]


async def until_it_answers(terminal: Terminal) -> None:
    """All may be on already by the one that was killed, while this one only begins."""
    with trio.fail_after(ARRIVES_S_MAX):
        while (await ask_second_copy(terminal.settings.run_dir)).why == SILENT:
            await trio.sleep(0.2)


async def test_a_board_that_nobody_registered_is_told_to_the_workshop(terminal: Terminal) -> None:
    """The ledger knows another board under this number: the doctor says so, and once two persons registered this one,
    the rows are kept."""
    books = terminal.town.sandboxes["agency_ledger"].kept  # type: ignore[attr-defined] # the ledger's own
    books.chain_of("T0000001", "ab" * 32)
    assert (await ledger_findings(terminal.settings))[0].verdict == "unknown"

    async def until_it_says(verdict: str, why: str) -> None:
        with trio.fail_after(ARRIVES_S_MAX):
            while (found := (await ledger_findings(terminal.settings))[0]).verdict != verdict or why not in found.why:
                await trio.sleep(0.2)

    async with terminal.forwarder():
        await until_it_says("fail", "refused: board_not_registered")
    (key,) = books.newcomers("T0000001")
    books.replace_board("T0000001", key, "now", "E001", "E002")
    async with terminal.forwarder():
        await until_it_says("ok", f"the rows up to {open_copies(Path(terminal.settings.data_dir)).newest()} are kept")


async def test_every_row_is_on_the_second_medium_through_kills(terminal: Terminal) -> None:
    """SIGKILL at any moment, rows written meanwhile: each is there once, linked as in the journal; the doctor says
    what it is, also when the card is pulled, and when nobody knows."""
    card, run_dir = Path(terminal.settings.journal.second_medium), terminal.settings.run_dir
    assert (await ask_second_copy(run_dir)).why == SILENT
    assert (await verdicts(terminal))[0][0] == "unknown"
    for life in range(KILLS):
        for number in range(30):
            terminal.change_a_pin(30 * life + number)
        async with terminal.forwarder() as process:
            await until_all_is_on(terminal)
            terminal.change_a_pin(0)
            os.kill(process.pid, signal.SIGKILL)
    async with terminal.forwarder():
        await until_all_is_on(terminal)
        await until_it_answers(terminal)
        assert await verdicts(terminal) == [("warn", "on the same disk as the journal: it would be lost with it")]
        batch = open_copies(Path(terminal.settings.data_dir)).after(0, 10_000, 1 << 30)
        assert batch is not None
        own = [(row.seq, row.link.hex()) for row in batch.rows]
        assert on_card(card)[: len(own)] == own

        shutil.rmtree(card)
        terminal.change_a_pin(1)
        with trio.fail_after(ARRIVES_S_MAX):
            while not (await verdicts(terminal))[0][1].startswith("missing"):
                await trio.sleep(0.2)
