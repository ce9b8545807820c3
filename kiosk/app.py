"""Composition root of the kiosk's process: the real world around it, its control socket, its beginning and its end."""

import gc
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import trio

from drivers.pin_entry import make_pin_entry
from drivers.registry import find_driver
from kiosk.agent.for_agent import ForAgent, note_view
from kiosk.basics.clock import SystemClock
from kiosk.basics.control import ControlSilent, ask_control, kiosk_path, serve_control
from kiosk.basics.log import JsonLog
from kiosk.basics.signals import end_on_signal
from kiosk.basics.watchdog import feed_watchdog, tell_of_first_page
from kiosk.compose import Outside, agencys_keys, compose, kiosk_links, serve
from kiosk.devices import sams
from kiosk.devices.supervisor import Supervisor
from kiosk.doctor.examine import examine_connected
from kiosk.doctor.findings import production_refusals
from kiosk.hosts.bank.connect import bank_line
from kiosk.hosts.links import clock_agrees, note_wrong_clock
from kiosk.hosts.seal import ProcessSealVerifier
from kiosk.money.offline_limits import HOTLIST_IN_FORCE, NewestUsed
from kiosk.ports import Question
from kiosk.records.stick_by_agent import other_copies
from kiosk.settings.config import ConfigError, Settings
from kiosk.visit.questions import getting_ready
from offline_queue.agency_keys import recovery_key
from offline_queue.journal import SqliteJournal
from offline_queue.offline_documents import open_documents
from offline_queue.staff_books import StaffBooks
from screens.awake import stay_lit
from screens.outputs import keep_outputs, open_glass

# The page stands still meanwhile. Longer than any disk that still works lets the forwarder's commit wait; after it this
# process ends as by a power cut, whose every moment is recovered from, and is started again.
JOURNAL_S_MAX = 20.0


async def run_kiosk(settings: Settings) -> None:
    """Serve residents until SIGTERM or SIGINT.

    Raises:
        offline_queue.schema.JournalUnusable, OSError: the terminal cannot start safely.
        ConfigError: production, with something that exists for development (pins-and-keys 10).
    """
    _refuse_development(settings)
    log, clock = JsonLog(), SystemClock()
    async with trio.open_nursery() as nursery:  # the window takes the glass as it finds it
        nursery.start_soon(open_glass, settings.panel.turned, log)
        await trio.lowlevel.checkpoint()  # the server is asked, and answers meanwhile
        from screens.app import KivyScreen  # no other command wants a screen, and this one not at once
        from screens.photograph import photograph
    run_dir = Path(settings.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (run_dir / "ready").unlink(missing_ok=True)  # of a process that was killed
    journal = SqliteJournal(
        Path(settings.data_dir), clock.now, recovery_key(settings.agency_keys), busy_s_max=JOURNAL_S_MAX
    )
    keys, newest = agencys_keys(settings), NewestUsed(journal, HOTLIST_IN_FORCE)
    links, screen = kiosk_links(settings, log), KivyScreen(settings)
    note_wrong_clock(links, journal)
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
            other_copies=other_copies(settings),
            documents=open_documents(settings.offline, keys, newest, lambda why: log("offline_document", why=why)),
            sam_watch=sams.SamWatch(settings.offline.documents, keys, NewestUsed(journal, sams.IN_FORCE)),
            time_confirmed=lambda: settings.offline.has_rtc or clock_agrees(links),
        ),
    )

    async def examine() -> Any:
        findings = await examine_connected(settings, desk.supervisor, links, log, keys)
        return [[one.name, one.verdict, one.why] for one in findings]

    journal.record("kiosk_started")
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(screen.run)
            nursery.start_soon(end_on_signal, nursery.cancel_scope)
            nursery.start_soon(stay_lit)
            nursery.start_soon(keep_outputs, settings.panel.turned, log)
            end, shot = nursery.cancel_scope.cancel, partial(photograph, screen)
            agent = ForAgent(desk, journal.outbox.under_way, end, version("yikatong"), shot)
            nursery.start_soon(agent.watch)
            told, socket = {"case_viewed": partial(note_view, journal), **agent.told}, kiosk_path(settings.run_dir)
            await nursery.start(serve_control, socket, {"doctor": examine, **agent.answers}, told)
            nursery.start_soon(_foresee_first_page, desk.supervisor, screen.foresee)
            await nursery.start(serve, desk, journal)
            nursery.start_soon(feed_watchdog, run_dir / "ready")
            nursery.start_soon(tell_of_first_page, screen.first_page, log)
            gc.freeze()  # what the start made stays for good: no collection looks at it again
            gc.enable()
    finally:
        (run_dir / "ready").unlink(missing_ok=True)
        for link in links.values():
            link.close()
        journal.close()


async def _foresee_first_page(supervisor: Supervisor, foresee: Callable[[Question], None]) -> None:
    """It is made ready while devices still answer."""
    await supervisor.wait_change()
    foresee(getting_ready())


async def tell_of_view(settings: Settings, code: str) -> bool:
    """Whether the running kiosk has written down that this case is looked at."""
    try:
        return bool(await ask_control(kiosk_path(settings.run_dir), f"case_viewed {code}") == "noted")
    except ControlSilent:
        return False


def _refuse_development(settings: Settings) -> None:
    """Raises: ConfigError."""
    refused = production_refusals(settings, SystemClock().now())
    if refused:
        raise ConfigError("production refuses: " + "; ".join(f"{one.name} {one.why}" for one in refused))


def _seal_verifier(settings: Settings, log: JsonLog) -> ProcessSealVerifier:
    seals = settings.seals
    return ProcessSealVerifier(
        Path(seals.anchors), seals.verify_s_max, log, seals.time_tolerance_s, production=settings.production
    )
