"""``python -m kiosk run | forward | doctor | case CODE``: everything there is to start on a terminal."""

import argparse
import gc
import sys
from pathlib import Path

import trio

from kiosk.books import tell_case
from kiosk.config import ConfigError, load_settings
from kiosk.doctor import as_json, as_table, healthy
from offline_queue.reader import UNREADABLE, why_unreadable
from offline_queue.schema import JournalUnusable

SETTINGS = Path("/etc/yikatong/settings.toml")
EX_CONFIG = 78  # sysexits(3): systemd does not restart on it
EX_NOINPUT = 66
CASE_DIGITS = 6


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kiosk", description="The self-service terminal of the social security card")
    parser.add_argument("command", choices=("run", "forward", "doctor", "case"))
    parser.add_argument("code", nargs="?", default="", help="case: the six digits of a receipt or screen")
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("--json", action="store_true", help="doctor: for machines")
    asked = parser.parse_args(arguments)
    digits = asked.code.replace(" ", "")
    if asked.command == "case" and not (len(digits) == CASE_DIGITS and digits.isdecimal()):
        parser.error(f"case wants the {CASE_DIGITS} digits that stand on the receipt or the screen")
    try:
        settings = load_settings(asked.settings)
        if asked.command == "run":
            from kiosk.app import run_kiosk  # each process loads only what is its own

            gc.disable()  # while everything is made and nothing goes, collecting costs a tenth of the start
            trio.run(run_kiosk, settings)
            return 0
        if asked.command == "forward":
            from kiosk.forward import run_forwarder

            trio.run(run_forwarder, settings)
            return 0
        if asked.command == "case":
            return _tell(Path(settings.data_dir), asked.code)
        from kiosk.app import examine_terminal

        findings = trio.run(examine_terminal, settings)
    except (ConfigError, JournalUnusable, OSError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    print(as_json(findings) if asked.json else as_table(findings))
    return 0 if healthy(findings) else 1


def _tell(folder: Path, code: str) -> int:
    try:
        print(tell_case(folder, code))
    except UNREADABLE as error:
        print(why_unreadable(error, folder), file=sys.stderr)
        return EX_NOINPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
