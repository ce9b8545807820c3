"""IPP messages (RFC 8010 encoding, RFC 8011 operations): requests to bytes, answers to values. Does no IO.

Values inside collections are not needed here and are dropped; ``None`` stands for the collection itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

MESSAGE_BYTES_MAX = 1 << 20
VERSION = (2, 0)

Value = int | bool | str | bytes | None


class Operation(IntEnum):
    """RFC 8011 section 5.4.15."""

    PRINT_JOB = 0x0002
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class Tag(IntEnum):
    """RFC 8010 section 3.5."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    BEGIN_COLLECTION = 0x34
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


class Malformed(ValueError):
    """Not an IPP message, or cut short."""


@dataclass(frozen=True)
class Attribute:
    name: str
    tag: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Group:
    tag: int
    attributes: tuple[Attribute, ...]

    def all(self, name: str) -> tuple[Value, ...]:
        """Every value of the attribute, or none."""
        return next((one.values for one in self.attributes if one.name == name), ())

    def integer(self, name: str) -> int | None:
        return next((value for value in self.all(name) if isinstance(value, int)), None)

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(value for value in self.all(name) if isinstance(value, str))


@dataclass(frozen=True)
class Answer:
    """``status`` of RFC 8011 appendix B: below 0x0100 is success."""

    status: int
    request_id: int
    groups: tuple[Group, ...]

    @property
    def done(self) -> bool:
        return self.status < 0x0100

    def of(self, tag: Tag) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.tag == tag)

    def first(self, tag: Tag) -> Group:
        """The first group of that kind; an empty one where there is none."""
        return next(iter(self.of(tag)), Group(tag, ()))


def request(operation: Operation, request_id: int, uri: str, attributes: Iterable[Attribute]) -> bytes:
    """A request; charset, language and printer-uri come first as RFC 8011 section 4.1.4 demands."""
    first = (
        Attribute("attributes-charset", Tag.CHARSET, ("utf-8",)),
        Attribute("attributes-natural-language", Tag.LANGUAGE, ("en",)),
        Attribute("printer-uri", Tag.URI, (uri,)),
    )
    return _message(operation, request_id, (Group(Tag.OPERATION, (*first, *attributes)),))


def _message(code: int, request_id: int, groups: Sequence[Group]) -> bytes:
    out = bytearray((*VERSION, *code.to_bytes(2, "big"), *request_id.to_bytes(4, "big")))
    for group in groups:
        out.append(group.tag)
        for attribute in group.attributes:
            out += _attribute(attribute)
    out.append(Tag.END)
    return bytes(out)


def _attribute(attribute: Attribute) -> bytes:
    out = bytearray()
    name = attribute.name.encode()
    for index, value in enumerate(attribute.values):
        shown = b"" if index else name  # a further value has an empty name
        body = _value(value)
        out.append(attribute.tag)
        out += len(shown).to_bytes(2, "big") + shown + len(body).to_bytes(2, "big") + body
    return bytes(out)


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return bytes((value,))
    if isinstance(value, int):
        return value.to_bytes(4, "big", signed=True)
    if isinstance(value, str):
        return value.encode()
    assert isinstance(value, bytes), "collections are never sent"
    return value


def answer(message: bytes) -> Answer:
    """Read an answer.

    Raises:
        Malformed.
    """
    if len(message) > MESSAGE_BYTES_MAX:
        raise Malformed("too long")
    reader = _Reader(message)
    reader.take(2)
    status = reader.number(2)
    request_id = reader.number(4)
    return Answer(status, request_id, tuple(_groups(reader)))


class _Reader:
    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0

    def take(self, length: int) -> bytes:
        piece = self._message[self._at : self._at + length]
        if len(piece) < length:
            raise Malformed("cut short")
        self._at += length
        return piece

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def field(self) -> bytes:
        return self.take(self.number(2))


def _groups(reader: _Reader) -> list[Group]:
    groups: list[Group] = []
    attributes: list[Attribute] = []
    depth = 0
    while (tag := reader.number(1)) != Tag.END:
        if tag < 0x10:
            attributes = []
            groups.append(Group(tag, ()))
            continue
        name, body = reader.field(), reader.field()
        if tag == Tag.END_COLLECTION:
            depth = max(0, depth - 1)
        elif depth == 0:
            _collect(attributes, name, tag, body)
            if not groups:
                raise Malformed("a value outside any group")
            groups[-1] = Group(groups[-1].tag, tuple(attributes))
        depth += tag == Tag.BEGIN_COLLECTION
    return groups


def _collect(attributes: list[Attribute], name: bytes, tag: int, body: bytes) -> None:
    value = _decoded(tag, body)
    if name:
        attributes.append(Attribute(name.decode("utf-8", "replace"), tag, (value,)))
    elif attributes:
        last = attributes[-1]
        attributes[-1] = Attribute(last.name, last.tag, (*last.values, value))
    else:
        raise Malformed("a further value of nothing")


def _decoded(tag: int, body: bytes) -> Value:
    if tag in (Tag.INTEGER, Tag.ENUM):
        return int.from_bytes(body, "big", signed=True)
    if tag == Tag.BOOLEAN:
        return body != b"\x00"
    if tag == Tag.BEGIN_COLLECTION:
        return None
    if 0x41 <= tag <= 0x4A:
        return body.decode("utf-8", "replace")
    return body  # ranges, resolutions, dates, out-of-band values
