"""The real forwarder where the only ledger is the fleet's: its rows go by way of the agent, and the doctor says so."""

from pathlib import Path

import trio

from kiosk.agent import ASK_BYTES_MAX
from kiosk.config import load_settings
from kiosk.control import agent_path, serve_control
from kiosk.doctor import ledger_findings
from offline_queue.copies import open_copies
from provisioning.terminal.ledger_line import LedgerLine
from simulators.kiosk_settings import as_toml
from tests.hosts.conftest import Town
from tests.hosts.test_forwarder import ARRIVES_S_MAX, Terminal


async def test_rows_wait_for_the_agent_and_go_over_its_line(town: Town, tmp_path: Path) -> None:
    """No host is a ledger. Without an agent nothing is kept; once one is there the agency has every row."""
    terminal = Terminal(town, tmp_path)
    tree = {"run_dir": terminal.settings.run_dir, "data_dir": terminal.settings.data_dir, "agent": {"ledger": True}}
    terminal.file.write_text(as_toml(tree))
    terminal.settings = settings = load_settings(terminal.file)
    for number in range(60):
        terminal.change_a_pin(number)
    terminal.journal.close()
    copies = open_copies(Path(settings.data_dir))
    agent = agent_path(settings.run_dir)
    agent.parent.mkdir(parents=True)
    line = LedgerLine(town.link("agency_ledger"), settings.terminal.terminal_id)
    async with terminal.forwarder(), trio.open_nursery() as nursery:
        with trio.fail_after(ARRIVES_S_MAX):
            while (await ledger_findings(settings))[0].why != "the rows up to 0 are kept":
                await trio.sleep(0.1)
            words = {"ledger_kept": line.kept}, {"ledger_rows": line.rows}
            await nursery.start(serve_control, agent, *words, ASK_BYTES_MAX)
            while (await ledger_findings(settings))[0].why != f"the rows up to {copies.newest()} are kept":
                await trio.sleep(0.1)
        ledger = town.sandboxes["agency_ledger"]
        assert ledger.kept_up_to("T0000001")[0] == copies.newest() > 60  # type: ignore[attr-defined] # the ledger's own
        nursery.cancel_scope.cancel()
