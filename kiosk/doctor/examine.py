"""The doctor's round: every slot, host, file, clock and counter of this terminal, whoever has the devices open."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from drivers.registry import find_driver
from kiosk.basics.clock import SystemClock
from kiosk.basics.control import ControlSilent, ask_control, forward_path, kiosk_path
from kiosk.basics.log import JsonLog
from kiosk.compose import FIRST_TRY_S, agencys_keys, kiosk_links
from kiosk.devices.supervisor import Supervisor
from kiosk.doctor.findings import (
    Finding,
    bank_card_findings,
    bank_finding,
    blocklist_findings,
    copies_findings,
    counter_findings,
    fleet_findings,
    host_finding,
    house_findings,
    key_findings,
    pad_finding,
    slot_findings,
)
from kiosk.doctor.sealed import sealed_findings
from kiosk.hosts.bank.connect import bank_line
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.card_platform.codec import states_from_settings
from kiosk.money.bank_record import NUMBERED, numbers_of
from kiosk.money.platform_acts import SENT, message_id_of
from kiosk.ports import HostLink, Log
from kiosk.settings.config import Settings
from offline_queue.layout import UNDER_WAY
from offline_queue.reader import UNREADABLE, open_reader
from offline_queue.verify import verify


async def examine_terminal(settings: Settings) -> list[Finding]:
    """Every slot, host, file and clock: by the running kiosk, or by opening the devices here for a moment."""
    journal = await trio.to_thread.run_sync(_journal_findings, Path(settings.data_dir))
    journal += await trio.to_thread.run_sync(_newest_findings, settings)
    journal += await trio.to_thread.run_sync(lambda: [*sealed_findings()])
    journal += [await _forwarder_finding(settings), *await copies_findings(settings), *await fleet_findings(settings)]
    try:
        answer = await ask_control(kiosk_path(settings.run_dir), "doctor")
    except ControlSilent:
        return [*await _examine_alone(settings), *journal]
    return [Finding("kiosk", "ok", "running"), *(Finding(*row) for row in answer), *journal]


async def _forwarder_finding(settings: Settings) -> Finding:
    """Without an answer nobody knows what is unsent: no update, no reset."""
    try:
        told = await ask_control(forward_path(settings.run_dir), "unsent")
    except ControlSilent:
        return Finding("forwarder", "warn", "not running")
    return Finding("forwarder", "ok", f"running, journal signed up to row {told['seq']}")


def _journal_findings(data_dir: Path) -> list[Finding]:
    """Read here and not in the kiosk: walking a long chain would hold up the resident in front of it."""
    if not (data_dir / "journal.db").exists():
        return [Finding("journal", "warn", "none yet")]
    try:
        reader = open_reader(data_dir)
        reader.connection.execute("begin")  # one moment of a file that the kiosk goes on writing
        verdict = verify(reader.connection, reader.public_key, root=reader.root)
        unsent, oldest, effects = next(
            iter(reader.connection.execute("select unsent_count, oldest_at, open_effects from outbox_totals"))
        )
        ((under_way,),) = reader.connection.execute(UNDER_WAY)
    except UNREADABLE as error:
        return [Finding("journal", "fail", f"cannot be read: {type(error).__name__}")]
    whole = f"{verdict.rows} rows, {verdict.why or 'whole'}; board {reader.public_key.public_bytes_raw().hex()}"
    owed = f"{unsent} notices owed" + (f", the oldest since {oldest}" if oldest else "")
    return [
        Finding("journal", "ok" if verdict.whole else "fail", whole),
        Finding("notices", "warn" if unsent else "ok", owed),
        Finding("open effects", "warn" if under_way else "ok", f"{effects}, of which {under_way} are under way"),
    ]


def _newest_findings(settings: Settings) -> list[Finding]:
    """Of numbers that must never repeat, whoever uses the counters (none is drawn), and of the pad's keys."""
    trace, message_id, keys = None, "", list[Finding]()
    with suppress(*UNREADABLE):  # told as the journal's
        reader = open_reader(Path(settings.data_dir))
        trace, message_id = numbers_of(reader.last(*NUMBERED)), message_id_of(reader.last(*SENT))
        keys = [*key_findings(settings, reader)]
    return [*counter_findings(settings, trace, message_id), *keys]


async def _examine_alone(settings: Settings) -> list[Finding]:
    log = JsonLog()
    links = kiosk_links(settings, log)
    supervisor = Supervisor(
        settings.slots,
        find_driver,
        log,
        Path(settings.run_dir),
        settings.pin_mode,
        CardPlatformClient(links["card_platform"], states_from_settings(settings.card_states)),
        production=settings.production,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        with trio.move_on_after(FIRST_TRY_S):
            await supervisor.wait_tried()
        seen = await examine_connected(settings, supervisor, links, log, agencys_keys(settings))
        nursery.cancel_scope.cancel()
    return [Finding("kiosk", "warn", "not running"), *seen]


async def examine_connected(
    settings: Settings,
    supervisor: Supervisor,
    links: Mapping[str, HostLink],
    log: Log,
    keys: Mapping[str, Ed25519PublicKey],
) -> list[Finding]:
    """Devices, hosts, files and clock, by whoever has the devices open. ``keys``: of the agency, for its documents."""
    now = SystemClock().now()
    return [
        *slot_findings(supervisor),
        await pad_finding(supervisor),
        *bank_card_findings(settings, supervisor),
        *await _host_findings(links),
        *await _bank_findings(settings, log),
        *house_findings(settings, now),
        *blocklist_findings(settings, keys, now),
    ]


async def _bank_findings(settings: Settings, log: Log) -> list[Finding]:
    line = bank_line(settings, log)
    return [await bank_finding(line)] if line else []


async def _host_findings(links: Mapping[str, HostLink]) -> list[Finding]:
    findings: dict[str, Finding] = {}

    async def look(name: str) -> None:
        findings[name] = await host_finding(name, links[name])

    async with trio.open_nursery() as nursery:
        for name in links:
            nursery.start_soon(look, name)
    return [findings[name] for name in links]
