"""``python -m kiosk run | forward | agent | doctor | case CODE | notices list | settings``: what a terminal starts."""

import argparse
import gc
import sys
from pathlib import Path

SETTINGS = Path("/etc/yikatong/settings.toml")
CASE_DIGITS = 6


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk", description="The self-service terminal of the social security card")
    parser.add_argument("command", choices=("run", "forward", "agent", "doctor", "case", "notices", "settings"))
    parser.add_argument(
        "code",
        nargs="?",
        default="",
        help="case: the six digits of a receipt or screen; notices: list | release | give-up",
    )
    parser.add_argument("key", nargs="?", default="", help="notices: which one, as the list names it")
    parser.add_argument("--by", default="", help="notices: the number of the person who says so")
    parser.add_argument("--approver", default="", help="notices give-up: the second person's")
    parser.add_argument("--why", default="", help="notices give-up: in a few words")
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("--json", action="store_true", help="doctor: for machines")
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = make_parser()
    asked = parser.parse_args(arguments)
    digits = asked.code.replace(" ", "")
    if asked.command == "case" and not (len(digits) == CASE_DIGITS and digits.isdecimal()):
        parser.error(f"case wants the {CASE_DIGITS} digits that stand on the receipt or the screen")
    if asked.command == "run":
        gc.disable()  # while everything is made and nothing goes, collecting costs a tenth of the start
    if asked.command == "agent":
        from kiosk.agent.agent import obey_agent  # nothing of the kiosk itself: it must be small

        return obey_agent(asked.settings)
    from kiosk.commands import obey  # imports are half of what is made

    return obey(asked)


if __name__ == "__main__":
    sys.exit(main())
