"""Composition root of the kiosk: the only module that knows every part by name."""

import gc
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from drivers.pin_entry import make_pin_entry
from drivers.registry import find_driver
from kiosk import sams
from kiosk.clock import SystemClock
from kiosk.config import ConfigError, Settings
from kiosk.control import ControlSilent, ask_control, forward_path, kiosk_path, serve_control
from kiosk.desk import Desk, MakePinEntry
from kiosk.doctor import (
    Finding,
    bank_card_findings,
    bank_finding,
    blocklist_findings,
    copies_findings,
    counter_findings,
    fleet_findings,
    host_finding,
    house_findings,
    pad_finding,
    production_refusals,
    slot_findings,
)
from kiosk.domain.settlement import HOSPITAL
from kiosk.evidence import TerminalCopies
from kiosk.for_agent import ForAgent, note_view
from kiosk.headset import FollowJack
from kiosk.hosts.agency.client import AgencyDutyClient
from kiosk.hosts.bank.asking import Line as WayToBank
from kiosk.hosts.bank.client import Desk as BankDesk
from kiosk.hosts.bank.connect import bank_line, connect_bank
from kiosk.hosts.bank.terminal import TraceCounterBroken
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.card_platform.codec import states_from_settings
from kiosk.hosts.hospital.client import DebtRegisterClient, HospitalClient
from kiosk.hosts.seal import ProcessSealVerifier
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.lamps import LitScreen
from kiosk.links import clock_agrees, host_links, medical_insurance, not_connected
from kiosk.log import JsonLog
from kiosk.money.bank_record import NUMBERED, JournalBankRecord, numbers_of
from kiosk.money.cash_books import CASH_SLOTS, CashBooks
from kiosk.money.debts import AGENCY, DebtRegisters
from kiosk.money.drive_bank import keep_bank_driven
from kiosk.money.offline_limits import HOTLIST_IN_FORCE, NO_DOCUMENTS, NewestUsed, OfflineLimits
from kiosk.money.platform_acts import SENT, message_id_of
from kiosk.ports import HostLink, Log, Question, SealVerifier
from kiosk.ports.money import Bank
from kiosk.ports.offline import OfflineDocuments
from kiosk.ports.staff import OtherCopies, TerminalBooks
from kiosk.questions import insert_card
from kiosk.session import serve_residents
from kiosk.staff.watch_places import keep_comparing_places
from kiosk.supervisor import Attend, FindDriver, Supervisor
from kiosk.typed_keys import bank_keys_under
from kiosk.watchdog import feed_watchdog
from offline_queue.agency_keys import document_keys, recovery_key
from offline_queue.journal import SqliteJournal
from offline_queue.layout import UNDER_WAY
from offline_queue.offline_documents import open_documents
from offline_queue.reader import UNREADABLE, open_reader
from offline_queue.staff_books import StaffBooks
from offline_queue.verify import verify

HOSTS = ("social_insurance", "card_platform", "agency")
MONEY_HOSTS = ("hospital", "medical_insurance")  # a hall has neither: what the settings do not name is not connected
# The page stands still meanwhile. Longer than any disk that still works lets the forwarder's commit wait; after it this
# process ends as by a power cut, whose every moment is recovered from, and is started again.
JOURNAL_S_MAX = 20.0
FIRST_TRY_S = 8.0  # devices that have not answered by then keep trying while residents are already served


@dataclass(frozen=True)
class Outside:
    """All that a kiosk touches, given from outside: the real world by ``run_kiosk``, another one by a simulation."""

    log: Log
    clock: SystemClock
    journal: SqliteJournal
    terminal_books: TerminalBooks
    links: Mapping[str, HostLink]
    screen: Any  # a ports.Screen with a ``run`` that reports when it stands
    find_driver: FindDriver
    make_pin_entry: MakePinEntry
    seal_verifier: SealVerifier
    bank_line: WayToBank | None = None  # None: this terminal has no bank
    other_copies: OtherCopies | None = None
    documents: OfflineDocuments = NO_DOCUMENTS
    sam_watch: sams.SamWatch | None = None  # None: no list of blocked PSAMs comes here
    time_confirmed: Callable[[], bool] = lambda: True


async def run_kiosk(settings: Settings) -> None:
    """Serve residents until SIGTERM or SIGINT.

    Raises:
        offline_queue.schema.JournalUnusable, OSError: the terminal cannot start safely.
        ConfigError: production, with something that exists for development (pins-and-keys 10).
    """
    _refuse_development(settings)
    from screens.app import KivyScreen  # Kivy opens a window on import: no other command wants that
    from screens.awake import stay_lit
    from screens.photograph import photograph

    run_dir = Path(settings.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (run_dir / "ready").unlink(missing_ok=True)  # of a process that was killed
    log, clock = JsonLog(), SystemClock()
    journal = SqliteJournal(
        Path(settings.data_dir), clock.now, recovery_key(settings.agency_keys), busy_s_max=JOURNAL_S_MAX
    )
    keys, newest = _agencys_keys(settings), NewestUsed(journal, HOTLIST_IN_FORCE)
    links, screen = host_links(settings, log, HOSTS, MONEY_HOSTS), KivyScreen(settings)
    desk = compose(
        settings,
        Outside(
            log=log,
            clock=clock,
            journal=journal,
            terminal_books=StaffBooks(Path(settings.data_dir)),
            links=links,
            screen=screen,
            find_driver=find_driver,
            make_pin_entry=lambda reader, pad: make_pin_entry(settings.pin_mode, reader, pad, {}, log),
            seal_verifier=_seal_verifier(settings, log),
            bank_line=bank_line(settings, log),
            other_copies=TerminalCopies(settings),
            documents=open_documents(settings.offline, keys, newest, lambda why: log("offline_document", why=why)),
            sam_watch=sams.SamWatch(settings.offline.documents, keys, NewestUsed(journal, sams.IN_FORCE)),
            time_confirmed=lambda: settings.offline.has_rtc or clock_agrees(links),
        ),
    )

    async def examine() -> Any:
        findings = [*slot_findings(desk.supervisor), await pad_finding(desk.supervisor)]
        findings += bank_card_findings(settings, desk.supervisor)
        findings += [*await _host_findings(links), *await _bank_findings(settings, log)]
        findings += [*house_findings(settings, clock.now()), *blocklist_findings(settings, keys, clock.now())]
        return [[one.name, one.verdict, one.why] for one in findings]

    journal.record("kiosk_started")
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(screen.run)
            nursery.start_soon(_end_on_signal, nursery.cancel_scope)
            nursery.start_soon(stay_lit)
            end, shot = nursery.cancel_scope.cancel, partial(photograph, screen)
            agent = ForAgent(desk, journal.outbox.under_way, end, version("yikatong"), shot)
            nursery.start_soon(agent.watch)
            told = {"case_viewed": partial(note_view, journal), **agent.told}
            answers = {"doctor": examine, **agent.answers}
            await nursery.start(serve_control, kiosk_path(settings.run_dir), answers, told)
            nursery.start_soon(_foresee_welcome, desk.supervisor, screen.foresee)
            await nursery.start(serve, desk, journal)
            nursery.start_soon(feed_watchdog, run_dir / "ready")
            gc.freeze()  # what the start made stays for good: no collection looks at it again
            gc.enable()
    finally:
        (run_dir / "ready").unlink(missing_ok=True)
        for link in links.values():
            link.close()
        journal.close()


async def _foresee_welcome(supervisor: Supervisor, foresee: Callable[[Question], None]) -> None:
    """The first page is made ready while devices still answer."""
    await supervisor.wait_change()
    foresee(insert_card())


async def tell_of_view(settings: Settings, code: str) -> bool:
    """Whether the running kiosk has written down that this case is looked at."""
    try:
        return bool(await ask_control(kiosk_path(settings.run_dir), f"case_viewed {code}") == "noted")
    except ControlSilent:
        return False


def compose(settings: Settings, outside: Outside) -> Desk:
    """Put the kiosk together on its outside; nothing runs yet."""
    clock, journal, log, links = outside.clock, outside.journal, outside.log, outside.links
    clock.case_code_known = journal.case_code_known
    card_platform = CardPlatformClient(links["card_platform"], states_from_settings(settings.card_states))
    cash_books = CashBooks(journal, clock, settings.slots)
    at_hospital = (links["hospital"], settings.terminal.terminal_id) if "hospital" in links else None
    hospital = HospitalClient(*at_hospital) if at_hospital else None
    screen = LitScreen(outside.screen)
    attendants: dict[str, Attend] = {
        **{slot: partial(cash_books.attend, slot) for slot in CASH_SLOTS},
        "lights": screen.attend,
        "headset": FollowJack(outside.screen).attend,
        **({sams.SLOT: outside.sam_watch.attend} if outside.sam_watch else {}),
    }
    find, run_dir, production = outside.find_driver, Path(settings.run_dir), settings.production
    desk = Desk(
        settings=settings,
        clock=clock,
        journal=journal,
        log=log,
        screen=screen,
        supervisor=Supervisor(
            settings.slots, find, log, run_dir, settings.pin_mode, card_platform, attendants, production
        ),
        social_insurance=SocialInsuranceClient(links["social_insurance"], settings.terminal.terminal_id),
        card_platform=card_platform,
        duty=AgencyDutyClient(links["agency"]),
        seal_verifier=outside.seal_verifier,
        make_pin_entry=outside.make_pin_entry,
        hospital=hospital or not_connected("hospital"),
        debt_register=_debt_registers(settings, links),
        medical_insurance=medical_insurance(
            settings, links, clock.now, log, newest_id=message_id_of(journal.last(*SENT))
        ),
        bank=not_connected("bank"),
        lend_cash=cash_books.lent,
        terminal_books=outside.terminal_books,
        statements=hospital,
        aside=journal.outbox,
        other_copies=outside.other_copies,
    )
    desk.offline = OfflineLimits(journal, clock, outside.documents, lambda: desk.visit, outside.time_confirmed)
    if outside.bank_line is not None:
        desk.bank = _bank(desk, outside.bank_line)
    return desk


async def serve(
    desk: Desk, journal: SqliteJournal, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Keep the devices, the bank and the residents; started once a card is served. What else hosts must be told is the
    forwarder's."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.supervisor.run)
        if "bank" in desk.settings.hosts:
            nursery.start_soon(keep_bank_driven, journal, desk.bank, desk.log, lambda: desk.live_case)
        if set(CASH_SLOTS) & desk.settings.slots.keys():
            nursery.start_soon(keep_comparing_places, desk, lambda: desk.live_case)
        with trio.move_on_after(FIRST_TRY_S):
            await desk.supervisor.wait_tried()
        await nursery.start(serve_residents, desk)
        # Yesterday's accounts can wait until somebody can be served: they load what speaks to hosts.
        task_status.started()


def _debt_registers(settings: Settings, links: Mapping[str, HostLink]) -> DebtRegisters:
    hosts = [host for host in (HOSPITAL, AGENCY) if host in links]
    return DebtRegisters({host: DebtRegisterClient(links[host], settings.terminal.terminal_id) for host in hosts})


def _refuse_development(settings: Settings) -> None:
    """Raises: ConfigError."""
    refused = production_refusals(settings, SystemClock().now())
    if refused:
        raise ConfigError("production refuses: " + "; ".join(f"{one.name} {one.why}" for one in refused))


def _agencys_keys(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """Who may sign its documents; nobody where none come. Raises ConfigError."""
    return document_keys(settings.agency_keys) if settings.offline.documents else {}


def _seal_verifier(settings: Settings, log: JsonLog) -> ProcessSealVerifier:
    seals = settings.seals
    return ProcessSealVerifier(
        Path(seals.anchors), seals.verify_s_max, log, seals.time_tolerance_s, production=settings.production
    )


async def examine_terminal(settings: Settings) -> list[Finding]:
    """Every slot, host, file and clock: by the running kiosk, or by opening the devices here for a moment."""
    journal = await trio.to_thread.run_sync(_journal_findings, Path(settings.data_dir))
    journal += await trio.to_thread.run_sync(_counter_findings, settings)
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


def _counter_findings(settings: Settings) -> list[Finding]:
    """Read here, whoever uses the counters: no number is drawn."""
    data_dir = Path(settings.data_dir)
    try:
        reader = open_reader(data_dir)
        trace, message_id = numbers_of(reader.last(*NUMBERED)), message_id_of(reader.last(*SENT))
    except UNREADABLE:
        trace, message_id = None, ""  # told as the journal's
    return [*counter_findings(settings, trace, message_id)]


async def _examine_alone(settings: Settings) -> list[Finding]:
    log = JsonLog()
    links = host_links(settings, log, HOSTS, MONEY_HOSTS)
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
        seen = [*slot_findings(supervisor), await pad_finding(supervisor), *bank_card_findings(settings, supervisor)]
        nursery.cancel_scope.cancel()
    hosts = [*await _host_findings(links), *await _bank_findings(settings, log)]
    now = SystemClock().now()
    house = [*house_findings(settings, now), *blocklist_findings(settings, _agencys_keys(settings), now)]
    return [Finding("kiosk", "warn", "not running"), *seen, *hosts, *house]


def _bank(desk: Desk, line: WayToBank) -> Bank:
    """Works with whatever fills the slots now, and writes under the visit that is going on."""
    told = BankDesk(
        reader=lambda: desk.supervisor.device("card_reader"),
        pad=lambda: desk.supervisor.device("pin_pad"),
        record=JournalBankRecord(desk.journal, lambda: (desk.live_case, desk.live_card)),
        clock=desk.clock,
        log=desk.log,
        progress=desk.screen.stars,
        keys_under=lambda: bank_keys_under(desk.journal, desk.settings),
    )
    try:
        return connect_bank(desk.settings, line, told, numbers_of(desk.journal.last(*NUMBERED)))
    except TraceCounterBroken as broken:
        desk.log("bank_unusable", error=type(broken).__name__)
        unusable: Bank = not_connected("bank", "trace_counter")
        return unusable


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


async def _end_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return
