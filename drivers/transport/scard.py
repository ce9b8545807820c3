"""Blocking PC/SC calls of one thread: a context and at most one card handle. The only module that imports pyscard.

Used by the reader's worker thread (``pcsc.py``) and, alone, by the short-lived PIN process, which must start fast: so
neither trio nor ``kiosk`` here. PCSCLITE_CSOCK_NAME is read by the library at the first call and never again.
"""

import sys
from importlib.machinery import PathFinder
from types import ModuleType

if "smartcard" not in sys.modules:
    # The package's own beginning loads sessions, readers and monitors that nobody here wants: two thirds of the time
    # that the import takes. What it holds can still be imported by its full name.
    _found = PathFinder.find_spec("smartcard")
    _package = ModuleType("smartcard")
    _package.__path__ = list(_found.submodule_search_locations or ()) if _found else []
    sys.modules["smartcard"] = _package

from smartcard import scard

from drivers.transport.card_job import CardJob, drive

__all__ = [
    "CardHandle",
    "CardJob",
    "CardUnresponsive",
    "ReaderWatch",
    "ServiceGone",
    "TransmitFailed",
    "drive",
    "scard",
]

APDU_BYTES_MIN = 4  # vpcd hangs on an empty APDU and takes one byte for a control code: such are never sent
ANSWER_BYTES_MIN = 2

_LEAVE, _UNPOWER = scard.SCARD_LEAVE_CARD, scard.SCARD_UNPOWER_CARD
_MUTE = {scard.SCARD_W_UNRESPONSIVE_CARD, scard.SCARD_W_UNPOWERED_CARD, scard.SCARD_W_UNSUPPORTED_CARD}


class ServiceGone(Exception):
    """pcscd does not answer, or the reader is not in its list."""


class TransmitFailed(Exception):
    """The card did not answer this APDU. Whatever the reason, this insertion is over (a swap can be invisible)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"0x{code:08X}")
        self.code = code


class CardUnresponsive(TransmitFailed):
    """There is a card and it gives no ATR."""


class CardHandle:
    """Context and handle for one reader. Every method blocks; use it from one thread only and always ``close`` it."""

    def __init__(self, leave_powered: bool = False) -> None:
        """Open a context.

        Raises:
            ServiceGone: no pcscd.
        """
        self._leave_powered = leave_powered
        self._card: int | None = None
        self._protocol = 0
        result, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if result != scard.SCARD_S_SUCCESS:
            raise ServiceGone(f"0x{result:08X}")

    @property
    def connected(self) -> bool:
        return self._card is not None

    def readers(self) -> list[str]:
        """Names as pcscd lists them.

        Raises:
            ServiceGone: pcscd went away.
        """
        result, names = scard.SCardListReaders(self._context, [])
        if result == scard.SCARD_S_SUCCESS:
            return list(names)
        if result == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        raise ServiceGone(f"0x{result:08X}")

    def connect(self, reader: str) -> bytes:
        """A fresh handle for this insertion (a kept one would keep the last card's protocol); returns the ATR.

        Raises:
            CardUnresponsive: no ATR. TransmitFailed: no card, or the reader is gone.
        """
        self.let_go()
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        result, card, protocol = scard.SCardConnect(self._context, reader, scard.SCARD_SHARE_SHARED, protocols)
        if result != scard.SCARD_S_SUCCESS:
            raise (CardUnresponsive if result in _MUTE else TransmitFailed)(result)
        self._card, self._protocol = card, protocol
        return self.atr()

    def atr(self) -> bytes:
        """The ATR; asking also finds out whether this handle's card is still there.

        Raises:
            TransmitFailed: it is not.
        """
        result, _reader, _state, _protocol, atr = scard.SCardStatus(self._card)
        if result != scard.SCARD_S_SUCCESS:
            raise TransmitFailed(result)
        return bytes(atr)

    def transmit(self, apdu: bytes | bytearray) -> bytes:
        """One APDU, at least APDU_BYTES_MIN bytes; blocks as long as the card does.

        Raises:
            TransmitFailed: no complete answer. A card pulled inside an APDU is a success of no bytes in vpcd's eyes.
        """
        assert len(apdu) >= APDU_BYTES_MIN and self._card is not None
        result, answer = scard.SCardTransmit(self._card, self._protocol, list(apdu))
        if result != scard.SCARD_S_SUCCESS or len(answer) < ANSWER_BYTES_MIN:
            raise TransmitFailed(result)
        return bytes(answer)

    def let_go(self, leave_powered: bool = True) -> None:
        """Give the handle up; the card stays in its state unless told otherwise."""
        if self._card is not None:
            scard.SCardDisconnect(self._card, _LEAVE if leave_powered else _UNPOWER)
            self._card = None

    def close(self, failed: bool = False) -> None:
        """Disconnect and release: pcscd shuts everybody out once some 200 contexts leak.

        ``failed``: the card may be out already. Powering down a card that is gone makes pcscd call the slot empty
        before its own poll did, and it then misses the next card if that one comes within the poll.
        """
        self.let_go(leave_powered=failed or self._leave_powered)
        scard.SCardReleaseContext(self._context)


class ReaderWatch:
    """Blocking wait for what pcscd says about one reader; its own context, for its own thread."""

    def __init__(self, handle: CardHandle, reader: str) -> None:
        self._handle = handle
        self._reader = reader
        self._state = scard.SCARD_STATE_UNAWARE

    def wait(self, wait_s_max: float) -> tuple[bool, bool, int] | None:
        """(card present, it is mute, insertion counter) at a change; None when nothing changed in time.

        Raises:
            ServiceGone: pcscd or the reader is gone.
        """
        result, states = scard.SCardGetStatusChange(
            self._handle._context, int(wait_s_max * 1000), [(self._reader, self._state)]
        )
        if result in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED):
            return None
        if result != scard.SCARD_S_SUCCESS:
            raise ServiceGone(f"0x{result:08X}")
        state = states[0][1]
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise ServiceGone("the reader is gone")
        self._state = state & ~scard.SCARD_STATE_CHANGED
        return bool(state & scard.SCARD_STATE_PRESENT), bool(state & scard.SCARD_STATE_MUTE), state >> 16

    def interrupt(self) -> None:
        """From another thread: make a running ``wait`` return None at once."""
        scard.SCardCancel(self._handle._context)
