"""What ``python -m kiosk`` does once it knows what it is asked: each command to its composition root."""

import argparse
import sys
from pathlib import Path

import trio

from kiosk.app import run_kiosk, tell_of_view
from kiosk.aside import NOTHING, TWO_PEOPLE, asked_words, bring_on
from kiosk.bare import is_bare, run_bare
from kiosk.books import tell_case
from kiosk.config import ConfigError, load_settings
from kiosk.control import ControlSilent, forward_path
from kiosk.doctor import as_json, as_table, healthy
from kiosk.examine import examine_terminal
from offline_queue.reader import UNREADABLE, why_unreadable
from offline_queue.schema import JournalUnusable

EX_CONFIG = 78  # sysexits(3): systemd does not restart on it
EX_USAGE = 64
EX_NOINPUT = 66


def obey(asked: argparse.Namespace) -> int:
    """The exit status."""
    try:
        settings = load_settings(asked.settings)
        if asked.command == "run":
            trio.run(run_bare if is_bare(settings) else run_kiosk, settings)
            return 0
        if asked.command == "forward":
            from kiosk.forward import run_forwarder  # the kiosk's own process never needs it

            trio.run(run_forwarder, settings)
            return 0
        if asked.command == "notices":
            return _bring_on(asked, forward_path(settings.run_dir))
        if asked.command == "case":
            if not trio.run(tell_of_view, settings, asked.code.replace(" ", "")):
                print("The kiosk does not run: its journal does not say that you looked.", file=sys.stderr)
            return _tell(Path(settings.data_dir), asked.code)
        findings = trio.run(examine_terminal, settings)
    except (ConfigError, JournalUnusable, OSError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    print(as_json(findings) if asked.json else as_table(findings))
    return 0 if healthy(findings) else 1


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


def _tell(folder: Path, code: str) -> int:
    try:
        print(tell_case(folder, code))
    except UNREADABLE as error:
        print(why_unreadable(error, folder), file=sys.stderr)
        return EX_NOINPUT
    return 0
