"""All cards of a world, each one object for the whole run: tries and PINs survive pulling and putting in."""

from simulators.cards.card import VirtualCard
from simulators.cards.psam import VirtualPsam
from simulators.worlds.world import World


class CardRack:
    def __init__(self, world: World) -> None:
        self.cards = {
            card.handle: VirtualCard(
                card, world.resident(card.resident), world.keys, world.city, account=world.bank_account(card.handle)
            )
            for card in world.cards
        }
        self.psam = VirtualPsam(world.keys)

    def card(self, handle: str) -> VirtualCard:
        """Raises: LookupError."""
        return self.cards[handle]
