"""``python -m simulators smoke``: residents' passes, bills and a staff visit in PIN mode B; some of each in mode A.

Prints one JSON line: ok, each step's milliseconds, each check's verdict, problems. Exit status 0 only when all is well.
OUT keeps logs, pictures of every question, receipt streams and printed documents.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import trio

from simulators.pcscd import PcscdError
from simulators.processes import ChildEnded
from simulators.run import reasons, size_px
from simulators.smoke.bill import BillVisit
from simulators.smoke.card_bill import CardBillVisit
from simulators.smoke.cast import NEW_PINS, NobodyFits, choose_card_payer, choose_cards, choose_payer
from simulators.smoke.ears import Ears
from simulators.smoke.glass import Glass, Unexpected
from simulators.smoke.hands import Finger, Hands, Keypad, TremblingFinger
from simulators.smoke.record import CheckFailed, Record
from simulators.smoke.staff import StaffVisit
from simulators.smoke.visit import Visit
from simulators.stack import Plan, Stack, open_stack
from simulators.worlds.world import Card, StaffEntry, WorldError, load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"
PASS_S_MAX = 180.0
BILLS = ("bill", "bill_flapping", "card_bill", "card_bill_flapping")
STAFF = "staff"
PASSES = {"B": ("touch", "keypad", "tremble", *BILLS, STAFF), "A": ("touch", "card_bill", STAFF)}
PADS = {"B": "pin_pad", "A": "card_reader"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", type=Path, default=WORLD)
    parser.add_argument("--out", type=Path, default=Path("out/smoke"), help="folder for what came out; emptied first")
    parser.add_argument("--size", type=size_px, default=(1080, 1920))
    parser.add_argument("--pin-mode", choices=("A", "B"), help="only this one; default: B, then A")
    parser.add_argument("--pass", dest="only", choices=PASSES["B"], help="only this pass")


def main(asked: argparse.Namespace) -> int:
    out = asked.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    record = Record(out)
    for mode in (asked.pin_mode,) if asked.pin_mode else tuple(PASSES):
        _run_mode(asked, mode, record)
    print(record.as_line(), flush=True)
    return 1 if record.problems else 0


def _run_mode(asked: argparse.Namespace, mode: str, record: Record) -> None:
    """In a short folder of its own: the names of UNIX sockets must not be long."""
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        plan = Plan(asked.world, Path(folder), asked.size, mode, screen_map=True)
        passes = [name for name in PASSES[mode] if asked.only in (None, name)]
        try:
            trio.run(_run_passes, plan, passes, record)
        except* (ChildEnded, PcscdError, OSError, trio.TooSlowError) as group:
            kept = str(record.out / mode)  # the folder is gone when somebody reads this
            record.problems += [f"{mode}: {one}".replace(folder, kept) for one in reasons(group)]
        except* (WorldError, NobodyFits) as group:
            record.problems += reasons(group)
        finally:
            _keep_logs(Path(folder), record.out / mode)


def _keep_logs(run_dir: Path, out: Path) -> None:
    if (run_dir / "logs").exists():
        shutil.copytree(run_dir / "logs", out / "logs", dirs_exist_ok=True)
    for name in ("settings.toml", "kiosk/speech.jsonl", "kiosk/screen.json"):
        if (run_dir / name).exists():
            shutil.copyfile(run_dir / name, out / "logs" / Path(name).name)


async def _run_passes(plan: Plan, passes: list[str], record: Record) -> None:
    world = load_world(plan.world)
    cards = choose_cards(world, len(passes), date.today())
    # A small world may have nobody with such bills.
    payers = {"bill": choose_payer(world, date.today()), "card_bill": choose_card_payer(world, date.today())}
    record.prefix = plan.pin_mode
    begun = trio.current_time()
    async with open_stack(plan) as stack:
        record.steps[f"{plan.pin_mode}.ready"] = round((trio.current_time() - begun) * 1000)
        for name in passes:
            record.prefix = f"{plan.pin_mode}.{name}"
            if name == STAFF:
                good = not world.staff or await _staff_pass(stack, world.staff[0], record)
            elif name in BILLS:
                payer = payers[name.removesuffix("_flapping")]
                good = payer is None or await _pass(stack, name, payer, record)
            else:
                good = await _pass(stack, name, cards.pop(0), record)
            if not good:
                return  # a kiosk in the wrong place would only fail again


def _visit_of(name: str) -> Callable[..., Visit]:
    if name not in BILLS:
        return Visit
    made = CardBillVisit if name.startswith("card_") else BillVisit
    return partial(made, flapping=name.endswith("_flapping"))


async def _staff_pass(stack: Stack, card: StaffEntry, record: Record) -> bool:
    glass = Glass(stack.kiosk_dir / "screen.json")
    return await _lives(stack, StaffVisit(stack, glass, record, card, PADS[stack.plan.pin_mode]), record)


async def _pass(stack: Stack, name: str, card: Card, record: Record) -> bool:
    """Whether it went well; what did not is recorded."""
    glass = Glass(stack.kiosk_dir / "screen.json")
    ears = Ears(stack.kiosk_dir / "speech.jsonl", glass)
    hands: dict[str, Hands] = {
        "touch": Finger(stack, glass),
        "tremble": TremblingFinger(stack, glass),
        "keypad": Keypad(stack, ears),
    }
    pad = PADS[stack.plan.pin_mode]
    chip = stack.hardware.cards[card.handle]
    pin = next(one for one in (card.pin, *NEW_PINS) if chip.accepts_pin(one))
    new_pin = next(one for one in NEW_PINS if one != pin)
    told = (stack, glass, ears, hands.get(name, hands["touch"]), record, card, pin, new_pin, pad)
    return await _lives(stack, _visit_of(name)(*told), record)


async def _lives(stack: Stack, visit: Visit | StaffVisit, record: Record) -> bool:
    """Whether it went well; what did not is recorded."""
    try:
        with trio.fail_after(PASS_S_MAX):
            async with record.step("whole_visit"):
                await visit.go()
    except (Unexpected, CheckFailed, trio.TooSlowError) as problem:
        record.problems.append(f"{record.prefix}: {problem or type(problem).__name__}")
        record.keep("where_it_ended.png", await stack.screen_png())
        return False
    return True
