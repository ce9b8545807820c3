"""The demo's world with more to do: bills for a whole day, hospital stays and money at the bank for whoever pays."""

from functools import cache
from pathlib import Path

from msgspec.structs import replace

from simulators.worlds.world import BankAccount, BillEntry, DebtEntry, Resident, World, load_world

WORLD = Path(__file__).parents[1] / "worlds" / "demo.toml"
PAYERS = ("wang_xiulan", "li_jianguo", "zhao_min", "xu_wen", "long_name", "spec_3")  # cards whose holders have bills
COPIES = "ABC"
RICH_FEN = 5_000_000
OWED_FEN = (2_350, 10_000, 6_000)  # debts of an earlier day, in turn; not all can be paid in notes


@cache
def demo() -> World:
    return load_world(WORLD)


@cache
def busy_world() -> World:
    """Half of the payers are rich at the bank; the others find out what happens when money is short there."""
    world = demo()
    payers = {world.card(handle).resident: number for number, handle in enumerate(PAYERS)}
    return replace(
        world,
        residents=[_busy(one, payers[one.handle]) if one.handle in payers else one for one in world.residents],
        bank_accounts=[_funded(one) for one in world.bank_accounts],
    )


def _busy(resident: Resident, number: int) -> Resident:
    return replace(
        resident,
        bills=[*resident.bills, *(_again(bill, letter) for letter in COPIES for bill in resident.bills)],
        admission=resident.admission or f"ZY2026119{number}",
        debts=[*resident.debts, *([DebtEntry(amount_fen=OWED_FEN[number % 3])] if number % 2 else [])],
    )


def _again(bill: BillEntry, letter: str) -> BillEntry:
    return replace(bill, id=f"{bill.id}{letter}")


def _funded(account: BankAccount) -> BankAccount:
    rich = account.card in PAYERS[::2]
    return replace(account, balance_fen=max(account.balance_fen, RICH_FEN)) if rich else account
