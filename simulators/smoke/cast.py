"""Who of a world can check balances, print a certificate and change the PIN, and which new PIN each of them takes."""

from datetime import date

from simulators.worlds.world import Card, World

BILLS_TO_PAY = 2  # once in fair weather, once in foul
NEW_PINS = ("135790", "864213", "975318")


class NobodyFits(Exception):
    """The world has no card that is served without a special case."""


def choose_cards(world: World, count: int, today: date) -> list[Card]:
    """``count`` cards; the same ones again when the world has fewer.

    Raises:
        NobodyFits.
    """
    fitting = [card for card in world.cards if _fits(card, world, today)]
    if not fitting:
        raise NobodyFits(f"world {world.name} has no ordinary card")
    different: dict[str, Card] = {}
    for card in fitting:
        different.setdefault(card.spec, card)  # of each generation one, before any twice
    chosen = [*different.values(), *(card for card in fitting if card not in different.values())]
    return [chosen[turn % len(chosen)] for turn in range(count)]


def choose_payer(world: World, today: date) -> Card | None:
    """A card of somebody whose bills leave a part for notes: the residents' scheme, where no account pays."""
    return next((card for card in world.cards if _owes_bills(card, world, today)), None)


def _owes_bills(card: Card, world: World, today: date) -> bool:
    holder = world.resident(card.resident)
    medical = holder.insurances.get("medical")
    insured = medical is not None and medical.state == "in_force" and holder.medical_scheme == "390"
    return insured and len(holder.bills) >= BILLS_TO_PAY and _fits(card, world, today)


def choose_card_payer(world: World, today: date) -> Card | None:
    """Another of the same, whose bank account pays it all."""
    for card in world.cards:
        holder, account = world.resident(card.resident), world.bank_account(card.handle)
        rich = account is not None and account.balance_fen >= sum(bill.total_fen for bill in holder.bills)
        if rich and account and not (account.blocked or account.balks) and _owes_bills(card, world, today):
            return card
    return None


def _fits(card: Card, world: World, today: date) -> bool:
    holder = world.resident(card.resident)
    return (
        card.platform_state == "normal"
        and card.pin_state == "set"
        and card.tries_left > 1
        and not (card.counterfeit or card.mute or card.raw)
        and card.expires > f"{today:%Y%m%d}"
        and bool(holder.name and holder.number and holder.insurances)
    )
