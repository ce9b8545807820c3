"""``python -m simulators.bench.draw FOLDER``: pages on a real glass, each drawn anew; one JSON line a page.

Nothing behind them: no devices, no hosts. A line holds the page's name, how many items it has, and the milliseconds of
each round from the question to the end of the drawing: laid out, rasterised and filled, no text kept from before.
"""

import json
import sys
import time
from datetime import date

import trio

from kiosk.domain.account import AccountOverview, Contribution, Insurance, PersonalAccount
from kiosk.domain.money import Fen
from kiosk.ports import Question
from kiosk.services.query_account import _contributions
from kiosk.settings.config import Settings
from screens import acts, lines, typeface
from screens.app import KivyScreen
from screens.moment import BLANK
from simulators.bench.menu import MENU

ROUNDS = 15
TURNS = 4  # of the event loop: the drawing is one of them
MONTHS = 13


def contributions() -> Question:
    """Thirteen months: the page with the most lines."""
    months = [f"{2025 + number // 12}-{number % 12 + 1:02d}" for number in range(MONTHS)]
    paid = [Contribution(month, Insurance.PENSION, Fen(812_345), Fen(64_988), Fen(129_975), True) for month in months]
    return _contributions(AccountOverview((), PersonalAccount(Fen(0), Fen(0), date(2026, 1, 31)), tuple(paid), ()))


async def rounds(screen: KivyScreen, question: Question) -> list[float]:
    """Milliseconds of each drawing of the whole page."""
    found = []
    for _ in range(ROUNDS):
        screen.show(BLANK)
        await trio.sleep(0.05)
        typeface.forget()
        lines.forget()
        began = time.perf_counter()
        screen.show(question)
        for _ in range(TURNS):
            await trio.lowlevel.checkpoint()
        found.append((time.perf_counter() - began) * 1000)
    return found


async def draw(folder: str) -> None:
    screen = KivyScreen(Settings(run_dir=folder, data_dir=folder))
    async with trio.open_nursery() as nursery:
        await nursery.start(screen.run)
        for name, wishes, question in (
            ("menu", (), MENU),
            ("contributions", (), contributions()),
            ("contributions_large_zh", (acts.LARGE,), contributions()),
            ("contributions_large_en", (acts.LANGUAGE,), contributions()),
        ):
            for wish in wishes:
                screen._do(wish)
            taken = await rounds(screen, question)
            line = {"page": name, "items": len(screen.picture.items), "ms": taken}
            print(json.dumps(line), flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(draw, sys.argv[1])
