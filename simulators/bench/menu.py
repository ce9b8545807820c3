"""``python -m simulators.bench.menu RUN_DIR [SETTINGS]``: one menu on a real glass to measure or look at.

Nothing behind it: no devices, no hosts. Prints each answer's value; ends with the red key's answer.
"""

import sys
from pathlib import Path

import trio

from kiosk.domain.text import say
from kiosk.ports import Answer, Question, Role, Tiles
from kiosk.settings.config import Settings, load_settings
from screens.app import KivyScreen

MENU = Question(
    "menu",
    say("What would you like to do?"),
    body=Tiles(),
    answers=(
        Answer("query_account", say("Check balances"), icon="account"),
        Answer("print_certificate", say("Print a certificate"), icon="certificate"),
        Answer("change_pin", say("Change the PIN"), icon="pin"),
        Answer("take_card", say("Finish, take my card"), Role.BACK),
    ),
)


async def show(settings: Settings) -> None:
    """Ask the menu until it is left."""
    screen = KivyScreen(settings)
    async with trio.open_nursery() as nursery:
        await nursery.start(screen.run)
        while (value := await screen.ask(MENU)) != "take_card":
            sys.stdout.write(value + "\n")
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    folder = sys.argv[1]
    chosen = load_settings(Path(sys.argv[2])) if len(sys.argv) > 2 else Settings(run_dir=folder, data_dir=folder)
    trio.run(show, chosen)
