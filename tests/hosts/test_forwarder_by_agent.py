"""The real forwarder and the fleet's ledger: rows go by way of the agent, and doctor says which ledger has what."""

import json
from pathlib import Path

import trio

from kiosk.agent.agent import ASK_BYTES_MAX
from kiosk.basics.control import agent_path, serve_control
from kiosk.doctor.findings import Finding, ledger_findings
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.settings.config import AgencyKeys, load_settings
from offline_queue.acknowledgement import read_acknowledgement
from offline_queue.agency_keys import document_keys
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
        # A ledger that was opened by its name signs what it keeps, as `python -m simulators host agency_ledger` does.
        word = await LedgerClient(town.link("agency_ledger"), "T0000001").word()
        keys = document_keys(AgencyKeys(documents={"agency": str(town.pki.public("documents"))}))
        assert read_acknowledgement(word, keys, "T0000001", copies).kept_up_to == copies.newest()
        nursery.cancel_scope.cancel()


async def test_each_ledger_gets_a_row_once_and_the_one_that_disagrees_is_named(town: Town, tmp_path: Path) -> None:
    """The agency's own has every row, the fleet refuses the seventh: doctor and journal name the fleet and the row."""
    terminal = Terminal(town, tmp_path)
    tree = {"run_dir": terminal.settings.run_dir, "data_dir": terminal.settings.data_dir, "agent": {"ledger": True}}
    terminal.file.write_text(terminal.file.read_text() + "\n" + as_toml({"agent": tree["agent"]}))
    terminal.settings = settings = load_settings(terminal.file)
    for number in range(12):
        terminal.change_a_pin(number)
    heard = list[int]()

    async def kept() -> dict[str, str]:
        return {"body": json.dumps({"kept_up_to": heard[-1] if heard else 0})}

    async def rows(batch: str) -> dict[str, str]:
        told = [row["seq"] for row in json.loads(batch)["rows"]]
        heard.extend(seq for seq in told if seq < 7)
        results = [{"seq": seq, "result": "kept" if seq < 7 else "differs"} for seq in told]
        return {"body": json.dumps({"kept_up_to": 6, "results": results})}

    agent = agent_path(settings.run_dir)
    agent.parent.mkdir(parents=True, exist_ok=True)
    copies = open_copies(Path(settings.data_dir))
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, agent, {"ledger_kept": kept}, {"ledger_rows": rows}, ASK_BYTES_MAX)
        async with terminal.forwarder():
            with trio.fail_after(ARRIVES_S_MAX):
                while not _told(terminal):
                    await trio.sleep(0.1)
                while await _found(terminal) != [
                    Finding("records at the agency", "ok", f"the rows up to {copies.newest()} are kept"),
                    Finding("records at the fleet", "fail", "refused at row 7: differs"),
                ]:
                    await trio.sleep(0.1)
        nursery.cancel_scope.cancel()
    assert _told(terminal) == [{"ledger": "fleet", "row": 7, "why": "differs"}]
    assert heard == [1, 2, 3, 4, 5, 6]
    agency = town.sandboxes["agency_ledger"]
    assert agency.alerts("T0000001") == []  # type: ignore[attr-defined] # the ledger's own


async def _found(terminal: Terminal) -> list[Finding]:
    return await ledger_findings(terminal.settings)


def _told(terminal: Terminal) -> list[object]:
    return [entry.facts for entry in terminal.journal.entries() if entry.act == "ledger_disagrees"]
