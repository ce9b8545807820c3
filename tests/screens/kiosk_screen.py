"""A process with one ``KivyScreen``: asks the named samples in turn and prints each answer as a JSON line."""

import json
import sys
from pathlib import Path

import trio

from kiosk.settings.config import Panel, Settings
from screens.app import KivyScreen
from tests.screens.samples import samples


async def main(run_dir: str, names: list[str]) -> None:
    settings = Settings(run_dir=run_dir, data_dir=run_dir, panel=Panel(1280, 800, 0.170))
    screen = KivyScreen(settings)
    async with trio.open_nursery() as nursery:
        await nursery.start(screen.run)
        print(json.dumps({"ready": True}), flush=True)
        for name in names:
            answer = await screen.ask(samples()[name])
            wish = screen.preferences
            print(json.dumps({"question": name, "answer": answer, "language": wish.language}), flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    trio.run(main, sys.argv[1], sys.argv[2:])
