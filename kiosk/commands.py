"""What ``python -m kiosk`` does once it knows what it is asked: each command to its composition root.

Each is imported by its own command alone: most of a start is imports, and a terminal that nobody knows yet shows its
code without whatever serves residents.
"""

import argparse
import sys
from pathlib import Path

import trio

from kiosk.basics.control import ControlSilent, forward_path
from kiosk.forwarder.aside import NOTHING, TWO_PEOPLE, asked_words, bring_on
from kiosk.settings.config import ConfigError, Settings, load_settings

USABLE = "This program can use these settings."
EX_CONFIG = 78  # sysexits(3): systemd does not restart on it
EX_USAGE = 64
EX_NOINPUT = 66


def obey(asked: argparse.Namespace) -> int:
    """The exit status."""
    try:
        settings = load_settings(asked.settings)
        if asked.command == "settings":
            # What the agent asks of a program that it is about to install: older agents ask newer programs.
            print(USABLE)
            return 0
        if asked.command == "run":
            return _run(settings)
        if asked.command == "forward":
            return _forward(settings)
        if asked.command == "notices":
            return _bring_on(asked, forward_path(settings.run_dir))
        if asked.command == "case":
            return _case(settings, asked.code)
        return _doctor(settings, asked.json)
    except (ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG


def _run(settings: Settings) -> int:
    """Raises ConfigError, OSError."""
    from kiosk.bare import is_bare, run_bare

    if is_bare(settings):
        trio.run(run_bare, settings)
        return 0
    from kiosk.app import run_kiosk
    from offline_queue.schema import JournalUnusable

    try:
        trio.run(run_kiosk, settings)
    except JournalUnusable as error:
        return _unusable(error)
    return 0


def _forward(settings: Settings) -> int:
    """Raises ConfigError, OSError."""
    from kiosk.forwarder.forward import run_forwarder
    from offline_queue.schema import JournalUnusable

    try:
        trio.run(run_forwarder, settings)
    except JournalUnusable as error:
        return _unusable(error)
    return 0


def _doctor(settings: Settings, for_machines: bool) -> int:
    """Raises ConfigError, OSError."""
    from kiosk.doctor.examine import examine_terminal
    from kiosk.doctor.findings import as_json, as_table, healthy
    from offline_queue.schema import JournalUnusable

    try:
        findings = trio.run(examine_terminal, settings)
    except JournalUnusable as error:
        return _unusable(error)
    print(as_json(findings) if for_machines else as_table(findings))
    return 0 if healthy(findings) else 1


def _unusable(error: Exception) -> int:
    print(error, file=sys.stderr)
    return EX_CONFIG


def _bring_on(asked: argparse.Namespace, socket: Path) -> int:
    try:
        question = asked_words(asked.code, asked.key, asked.by, asked.approver, asked.why)
        answer = trio.run(bring_on, socket, question)
    except ValueError as missing:
        print(missing, file=sys.stderr)
        return EX_USAGE
    except ControlSilent:
        print("The forwarder does not run; it alone brings notices on.", file=sys.stderr)
        return EX_NOINPUT
    print(answer)
    return 1 if answer in (NOTHING, TWO_PEOPLE) else 0


def _case(settings: Settings, code: str) -> int:
    """Raises OSError."""
    from kiosk.app import tell_of_view
    from kiosk.records.books import tell_case
    from offline_queue.reader import UNREADABLE, why_unreadable

    if not trio.run(tell_of_view, settings, code.replace(" ", "")):
        print("The kiosk does not run: its journal does not say that you looked.", file=sys.stderr)
    folder = Path(settings.data_dir)
    try:
        print(tell_case(folder, code))
    except UNREADABLE as error:
        print(why_unreadable(error, folder), file=sys.stderr)
        return EX_NOINPUT
    return 0
