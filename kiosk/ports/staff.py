"""What staff duties need beside what services have: their card, and the books of this terminal."""

from typing import Protocol, runtime_checkable

from kiosk.domain.staff import StaffCard


@runtime_checkable
class StaffCardReader(Protocol):
    """A card reader that also speaks to staff cards. Its ``read_identity`` raises DeviceFault ("card_staff") for one;
    a card that holds both applications is a resident's."""

    async def read_staff_card(self) -> StaffCard:
        """The certificate as it lies on the card.

        Raises:
            CardGone. DeviceFault: "card_foreign".
        """
        ...

    async def staff_signature(self, challenge: bytes) -> bytes:
        """64 bytes (r and s) over the application's prefix and ``challenge`` (32 bytes); b"" if the card gives none.

        Raises:
            CardGone.
        """
        ...
