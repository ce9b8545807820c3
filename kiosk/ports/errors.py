"""What can go wrong at a port, by whose fault it is and what the screen must say. No personal data in any of them."""

from kiosk.domain.health import Health


class DeviceFault(Exception):
    """A device did not do it, and surely did not: nothing happened that the resident must know of.

    ``health.reason`` is a glossary word such as ``paper_out``.
    """

    def __init__(self, slot: str, health: Health) -> None:
        super().__init__(f"{slot}: {health.condition.value} {health.reason}".strip())
        self.slot = slot
        self.health = health


class UnusableSettings(Exception):
    """A driver cannot work with what the settings say of its slot. The message says why, for staff, and no secret.

    The supervisor makes it ``FAULT bad_settings`` of that slot: one wrong line costs one device, never the kiosk.
    """


class CardGone(Exception):
    """The card was pulled, swapped or stopped answering: the session is over (pins-and-keys 12)."""


class CardNotGenuine(Exception):
    """The card failed the genuine check, or could not be checked at all: nothing personal, no money."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason  # "counterfeit" | "no_authority"


class HostRefused(Exception):
    """A host answered no, and that is final. ``code`` is the host's own; ``words`` its text for people, may be "".

    ``retry_after_s``: the host asks to come again after so many seconds; 0 where it says nothing of it.
    """

    def __init__(self, host: str, code: str, words: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(f"{host} refused: {code}")
        self.host = host
        self.code = code
        self.words = words
        self.retry_after_s = retry_after_s


class OutcomeUnknown(Exception):
    """Nobody knows whether it happened: silence, garbage, a broken line. Never repeated blindly.

    ``retry_after_s``: as of ``HostRefused``.
    """

    def __init__(self, where: str, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why
        self.retry_after_s = retry_after_s


class Back(Exception):
    """The resident chose to go back. Raised by the question itself."""


class Chose(Exception):
    """While something ran, the resident chose this answer instead; what ran was cancelled."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class ResidentLeft(Exception):
    """The resident walked away, stopped, or took the card. ``how``: "timeout" | "stopped" | "card_pulled"."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how
