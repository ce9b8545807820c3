"""Command and response APDUs (ISO 7816-4), short form only: no social security card needs more."""

from dataclasses import dataclass, field

DATA_BYTES_MAX = 255


@dataclass(frozen=True)
class Command:
    """``le``: expected answer length, 1 to 256; None = no answer expected."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    le: int | None = None

    def __bytes__(self) -> bytes:
        assert len(self.data) <= DATA_BYTES_MAX
        head = bytes((self.cla, self.ins, self.p1, self.p2))
        body = bytes((len(self.data),)) + self.data if self.data else b""
        tail = b"" if self.le is None else bytes((self.le % 256,))
        return head + body + tail


@dataclass(frozen=True)
class Response:
    data: bytes = field(repr=False)
    status: int  # SW1 SW2

    @classmethod
    def parse(cls, raw: bytes) -> "Response":
        """``raw`` is at least two bytes: transports end the insertion before giving less."""
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))
