"""Composition root of the forwarder: tells hosts what they are owed, finds out what is unknown, copies the journal.

A process of its own, so that everything that residents did arrives also while the screen's process is down. It has no
device, so what needs the PIN pad's keys (the bank) stays with the kiosk (money-rules 21).
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import trio

from kiosk.basics.clock import SystemClock
from kiosk.basics.control import forward_path, serve_control
from kiosk.basics.log import JsonLog
from kiosk.basics.signals import end_on_signal
from kiosk.basics.watchdog import feed_watchdog
from kiosk.domain.ledger import SecondCopy
from kiosk.domain.record_kinds import keep_months_by_kind
from kiosk.domain.settlement import HOSPITAL
from kiosk.forwarder import asked
from kiosk.forwarder.agencys_word import AgencysWord
from kiosk.forwarder.notices import Batches, Deliveries, card_platform_batches, card_platform_notices, deliver_notices
from kiosk.forwarder.rows_out import RowsOut
from kiosk.hosts.agency.ledger import LedgerClient
from kiosk.hosts.agency.ledger_by_agent import LedgerByAgent
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.card_platform.codec import states_from_settings
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.hosts.hospital.receipts.client import ReceiptRecordsClient
from kiosk.hosts.links import clock_agrees, host_links, medical_insurance, note_wrong_clock
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.money.contribution_notices import contribution_notices
from kiosk.money.copy_to_ledger import FLEETS, Kept, keep_copying
from kiosk.money.copy_to_medium import SecondCopies
from kiosk.money.debts import AGENCY
from kiosk.money.drive_deposits import keep_driving_deposits
from kiosk.money.held_receipts import receipt_notices
from kiosk.money.hospital_notices import debt_notices, hospital_notices
from kiosk.money.keep_driving import keep_driving
from kiosk.money.keep_retention import Retention
from kiosk.money.keep_running_orders import Orders
from kiosk.money.live_cases import live_cases, open_visit
from kiosk.money.pauses import over_busy_journal
from kiosk.money.platform_acts import SENT, message_id_of
from kiosk.money.receipt_records import receipt_record_notices
from kiosk.money.reconcile_agency import keep_reconciling_agency
from kiosk.money.run_reconciliation import Books, keep_reconciling
from kiosk.ports import Clock, HostLink, Log
from kiosk.ports.ledger import JournalRows
from kiosk.ports.money import MedicalInsurance
from kiosk.records.metrics import show_figures
from kiosk.settings.config import Settings
from offline_queue.agency_keys import recovery_key
from offline_queue.copies import open_copies
from offline_queue.journal import SqliteJournal
from offline_queue.second_medium import SecondMedium
from offline_queue.staff_books import case_codes

HOSTS = ("card_platform",)
IF_NAMED = ("social_insurance", "hospital", "medical_insurance", "agency_ledger")
JOURNAL_LOOK_S = 0.5


@dataclass(frozen=True)
class Forwarding:
    """What the forwarder works with, given from outside: the real world by ``run_forwarder``, or a simulation's."""

    settings: Settings
    clock: Clock
    log: Log
    journal: SqliteJournal
    rows: JournalRows
    links: Mapping[str, HostLink]
    kept: Kept = field(default_factory=Kept)
    fleet_kept: Kept = field(default_factory=partial(Kept, ledger=FLEETS))
    time_confirmed: Callable[[], bool] = lambda: False  # by a host since the start


async def run_forwarder(settings: Settings) -> None:
    """Forward until SIGTERM or SIGINT.

    Raises:
        JournalUnusable, OSError, ConfigError: as of the kiosk.
    """
    run_dir, data_dir = forward_path(settings.run_dir).parent, Path(settings.data_dir)
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log, clock = JsonLog(), SystemClock()
    links = host_links(settings, log, HOSTS, IF_NAMED)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_on_signal, nursery.cancel_scope)
            nursery.start_soon(feed_watchdog)  # waiting for the first journal, perhaps for days, it is well
            await _journal_made(data_dir)
            # Outside of their nursery: what was told in the last moment is still booked.
            with closing(SqliteJournal(data_dir, clock.now, recovery_key(settings.agency_keys))) as journal:
                with closing(open_copies(data_dir)) as copies:
                    note_wrong_clock(links, journal)
                    agrees = partial(clock_agrees, links)
                    work = Forwarding(settings, clock, log, journal, copies, links, time_confirmed=agrees)
                    await _serve(work, copies.public_key)
            nursery.cancel_scope.cancel()  # told to end: nobody waits for a signal any more
    finally:
        (run_dir / "ready").unlink(missing_ok=True)
        for link in links.values():
            link.close()


async def _serve(work: Forwarding, public_key: bytes) -> None:
    """The work, and whoever asks about it. ``public_key``: of the journal."""
    settings, journal = work.settings, work.journal
    async with trio.open_nursery() as nursery:
        answers = asked.answers(journal, public_key)
        if ledgers := _ledgers(work):
            answers["ledger"] = partial(_told, ledgers[0][1])
            answers["ledgers"] = partial(_all_told, [kept for _, kept in ledgers])
            answers["agencys_word"] = AgencysWord(settings, ledgers[0][0], work.clock, work.log).ask
        if settings.journal.second_medium:
            copies_too = _second_copies(work, public_key)
            answers["second_medium"] = lambda: _told(copies_too.now)
            nursery.start_soon(copies_too.keep)
        figures = asked.Figures(Path(settings.data_dir), journal, work.clock, settings.terminal.terminal_id)
        answers["money"] = figures.money

        async def end() -> str:
            """To be started with other settings; what was told in the last moment is still booked."""
            trio.lowlevel.current_trio_token().run_sync_soon(nursery.cancel_scope.cancel)
            return "ending"

        rows = RowsOut(settings)
        answers |= {"end": end, "take_answer": rows.take_answer}
        told = {**asked.told(journal), "row_bundle": rows.bundle}
        await nursery.start(serve_control, forward_path(settings.run_dir), answers, told)
        if settings.metrics_port:
            await show_figures(nursery, settings.metrics_port, figures.text, work.log)
        nursery.start_soon(forward, work)
        (forward_path(settings.run_dir).parent / "ready").write_text(str(os.getpid()))


async def forward(work: Forwarding) -> None:
    """For ever. Whose turn an unknown outcome is stands in the journal."""
    settings, journal, clock, links = work.settings, work.journal, work.clock, work.links
    newest = message_id_of(journal.last(*SENT))
    platform = medical_insurance(settings, links, clock.now, work.log, newest_id=newest, forwarder=True)
    orders = _orders(work, platform)

    def live() -> set[str]:
        """Who drives a 2207 of an order is this very process, while it has it in hand."""
        return live_cases(journal) | (orders.in_hand if orders else set())

    async with trio.open_nursery() as nursery:

        def keep(job: str, loop: Callable[..., Awaitable[object]], *about: object) -> None:
            nursery.start_soon(over_busy_journal, work.log, job, loop, *about)

        nursery.start_soon(deliver_notices, journal.outbox, _deliveries(work), work.log, _batches(work))
        keep("unknown", keep_driving, journal, clock, platform, live)
        if "hospital" in links:
            hospital = HospitalClient(links["hospital"], settings.terminal.terminal_id)
            keep("deposits", keep_driving_deposits, journal, clock, hospital, live)
            unsent = partial(journal.outbox.unsent_keys, "hospital")
            books = Books(journal, clock, hospital, settings, live, unsent, work.time_confirmed)
            keep("reconciliation", keep_reconciling, books, work.log)
        if AGENCY in links:
            agency = SocialInsuranceClient(links[AGENCY], settings.terminal.terminal_id)
            keep("agency_reconciliation", keep_reconciling_agency, journal, clock, agency, work.log)
        if orders:
            keep("orders", orders.keep_running)
        for ledger, kept in _ledgers(work):
            keep("ledger", keep_copying, journal, work.rows, ledger, work.log, kept)
        if _ledgers(work) and any(_keep_months(work).values()):
            keep("retention", _retention(work).keep)


def _ledgers(work: Forwarding) -> list[tuple[LedgerClient | LedgerByAgent, Kept]]:
    """The agency's own and the fleet's, as far as there are such; each gets every row once. What is kept surely, the
    first of them says."""
    ledgers: list[tuple[LedgerClient | LedgerByAgent, Kept]] = []
    if "agency_ledger" in work.links:
        client = LedgerClient(work.links["agency_ledger"], work.settings.terminal.terminal_id)
        ledgers.append((client, work.kept))
    if work.settings.agent.ledger:
        ledgers.append((LedgerByAgent(work.settings.run_dir), work.fleet_kept))
    return ledgers


def _keep_months(work: Forwarding) -> dict[str, int]:
    return keep_months_by_kind(work.settings.journal.keep_months, work.settings.journal.keep_months_of)


def _retention(work: Forwarding) -> Retention:
    """Without a ledger no month is surely kept elsewhere, and none ends."""
    data_dir = Path(work.settings.data_dir)

    async def open_cases() -> set[str]:
        return await trio.to_thread.run_sync(case_codes, data_dir)

    return Retention(
        work.journal,
        work.journal.retention,
        work.clock,
        _keep_months(work),
        work.time_confirmed,
        lambda: _kept_surely(work).surely,
        open_cases,
        work.log,
    )


def _orders(work: Forwarding, platform: MedicalInsurance) -> Orders | None:
    """Bills that residents left to be settled; where there is no hospital, none can be left."""
    links, journal = work.links, work.journal
    if "hospital" not in links or "medical_insurance" not in links:
        return None
    hospital = HospitalClient(links["hospital"], work.settings.terminal.terminal_id)
    return Orders(work.settings, work.clock, journal, journal.outbox, hospital, platform, work.log)


def _deliveries(work: Forwarding) -> Deliveries:
    """What each connected host may be owed. Without its host a notice stays owed."""
    links, journal, terminal_id = work.links, work.journal, work.settings.terminal.terminal_id
    found: dict[tuple[str, str], Any] = {**card_platform_notices(_card_platform(work))}
    if AGENCY in links:
        insurance = SocialInsuranceClient(links[AGENCY], terminal_id)
        found |= contribution_notices(insurance, journal, work.clock, partial(open_visit, journal))
        found |= debt_notices(AGENCY, DebtRegisterClient(links[AGENCY], terminal_id))
    if HOSPITAL in links:
        at_hospital = links[HOSPITAL], terminal_id
        hospital = HospitalClient(*at_hospital)
        found |= hospital_notices(hospital, DebtRegisterClient(*at_hospital)) | receipt_notices(hospital, terminal_id)
    for host in (one for one in (AGENCY, HOSPITAL) if one in links):
        found |= receipt_record_notices(host, ReceiptRecordsClient(host, links[host]), terminal_id)
    return found


def _batches(work: Forwarding) -> Batches:
    host = work.settings.hosts.get("card_platform")
    return card_platform_batches(_card_platform(work), host) if host else {}


def _card_platform(work: Forwarding) -> CardPlatformClient:
    return CardPlatformClient(work.links["card_platform"], states_from_settings(work.settings.card_states))


def _second_copies(work: Forwarding, public_key: bytes) -> SecondCopies:
    rules, terminal_id = work.settings.journal, work.settings.terminal.terminal_id
    medium = SecondMedium(Path(rules.second_medium), terminal_id, public_key, rules.second_medium_bytes_max)
    return SecondCopies(work.rows, medium, work.log, lambda: _kept_surely(work).up_to)


async def _told(now: Kept | SecondCopy) -> dict[str, Any]:
    return asdict(now)


async def _all_told(ledgers: list[Kept]) -> dict[str, Any]:
    return {"ledgers": [asdict(one) for one in ledgers]}


def _kept_surely(work: Forwarding) -> Kept:
    """The word that counts for what may be forgotten here: the agency's own, where there is one."""
    ledgers = _ledgers(work)
    return ledgers[0][1] if ledgers else work.kept


async def _journal_made(data_dir: Path) -> None:
    """The kiosk makes journal and key at its first start; two processes must not make them at once."""
    while not (data_dir / "journal.db").exists():  # noqa: ASYNC110 - a file of another process tells no event
        await trio.sleep(JOURNAL_LOOK_S)
