"""VSCARD, by which a program plays the card in qemu's USB reader (``ccid-card-passthru``): its messages as values.

Source: the protocol's public header, vscard_common.h of libcacard (version 0.0.2), and qemu's docs/ccid.txt. A message
is type, reader and length (u32 each, big endian) and the body. Reader 0 is the only one there is.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

_HEAD = struct.Struct(">III")
_INIT = struct.Struct(">4sII")  # magic, version, capabilities
MAGIC, VERSION = b"VSCD", 0x0002
UNDEFINED_READER = 0xFFFFFFFF
ATR_BYTES_MAX = 40
BODY_BYTES_MAX = 65_536


class Kind(IntEnum):
    INIT = 1
    ERROR = 2  # also says "success": the answer to most of what we send
    READER_ADD = 3
    READER_REMOVE = 4
    ATR = 5  # a card went in
    CARD_REMOVE = 6
    APDU = 7
    FLUSH = 8
    FLUSH_COMPLETE = 9


class VscardError(Exception):
    """The other side does not speak VSCARD."""


@dataclass(frozen=True)
class Message:
    kind: int
    body: bytes = b""
    reader: int = 0


def encode(message: Message) -> bytes:
    return _HEAD.pack(message.kind, message.reader, len(message.body)) + message.body


def hello() -> bytes:
    """What either side says first, and the reader that the card's side brings along."""
    init = Message(Kind.INIT, _INIT.pack(MAGIC, VERSION, 0), UNDEFINED_READER)
    return encode(init) + encode(Message(Kind.READER_ADD, reader=UNDEFINED_READER))


def inserted(atr: bytes) -> bytes:
    """Raises ValueError: an ATR that qemu would drop without a word."""
    if not 2 <= len(atr) <= ATR_BYTES_MAX:
        raise ValueError(f"an ATR has 2 to {ATR_BYTES_MAX} bytes, not {len(atr)}")
    return encode(Message(Kind.ATR, atr))


def removed() -> bytes:
    """A closed socket is no removal: qemu would leave the card in and let the next APDU hang."""
    return encode(Message(Kind.CARD_REMOVE))


def answer(apdu: bytes) -> bytes:
    return encode(Message(Kind.APDU, apdu))


class Decoder:
    """Bytes in, messages out; holds at most one message of BODY_BYTES_MAX."""

    def __init__(self) -> None:
        self._held = bytearray()

    def receive(self, chunk: bytes) -> list[Message]:
        """Raises VscardError: a length that nobody sends, or a wrong magic."""
        self._held += chunk
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> Message | None:
        if len(self._held) < _HEAD.size:
            return None
        kind, reader, length = _HEAD.unpack_from(self._held)
        if length > BODY_BYTES_MAX:
            raise VscardError(f"a message of {length} bytes")
        if len(self._held) < _HEAD.size + length:
            return None
        body = bytes(self._held[_HEAD.size : _HEAD.size + length])
        del self._held[: _HEAD.size + length]
        if kind == Kind.INIT and body[:4] != MAGIC:
            raise VscardError("another magic")
        return Message(kind, body, reader)
