"""RSQL, the language of ``q=``: ``name==kiosk*;version!=1.0,createdat=gt=0``. Parsed here, without a library.

Grammar (jirutka/rsql-parser, which hawkBit uses): "," or "or" binds weaker than ";" or "and"; comparisons are ==, !=,
=lt= (<), =le= (<=), =gt= (>), =ge= (>=), =in=, =out=; values are bare or quoted; "*" stands for anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import peewee

LENGTH_MAX, DEPTH_MAX, TERMS_MAX = 2000, 8, 40
_TOKEN = re.compile(
    r"\s*(?:(?P<compare>==|!=|=[a-z]+=|<=|>=|<|>)|(?P<mark>[(),;])"
    r"|(?P<quoted>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<word>[^\s\"'(),;<>=!~]+))"
)
_SAME = {"<": "=lt=", "<=": "=le=", ">": "=gt=", ">=": "=ge="}
_ORDERED = ("=lt=", "=le=", "=gt=", "=ge=")


class NotRsql(Exception):
    """The message says what was not understood."""


@dataclass
class _Reader:
    """Tokens left to right; each is (kind, text)."""

    tokens: list[tuple[str, str]]
    fields: Mapping[str, Any]
    at: int = 0
    terms: int = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        found = self.peek()
        self.at += 1
        return found

    def joined(self, mark: str, word: str) -> bool:
        kind, text = self.peek()
        if (kind, text) == ("mark", mark) or (kind == "word" and text.lower() == word):
            self.at += 1
            return True
        return False


def parse(words: str, fields: Mapping[str, Any]) -> Any:
    """A condition of peewee. ``fields``: name in lower case -> column, or a function (comparison, values) -> condition.

    Raises:
        NotRsql.
    """
    if len(words) > LENGTH_MAX:
        raise NotRsql(f"A question has at most {LENGTH_MAX} characters.")
    reader = _Reader(_tokens(words), fields)
    found = _either(reader, 0)
    if reader.peek()[0] != "end":
        raise NotRsql(f"There is something left over: {reader.peek()[1]}")
    return found


def _tokens(words: str) -> list[tuple[str, str]]:
    found, at, words = [], 0, words.strip()
    while at < len(words):
        match = _TOKEN.match(words, at)
        if match is None or match.lastgroup is None:
            raise NotRsql(f"This is not understood: {words[at : at + 20]}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _either(reader: _Reader, depth: int) -> Any:
    parts = [_all(reader, depth)]
    while reader.joined(",", "or"):
        parts.append(_all(reader, depth))
    return reduce(lambda one, other: one | other, parts)


def _all(reader: _Reader, depth: int) -> Any:
    parts = [_one(reader, depth)]
    while reader.joined(";", "and"):
        parts.append(_one(reader, depth))
    return reduce(lambda one, other: one & other, parts)


def _one(reader: _Reader, depth: int) -> Any:
    kind, text = reader.take()
    if (kind, text) == ("mark", "("):
        if depth >= DEPTH_MAX:
            raise NotRsql("There are too many brackets in one another.")
        found = _either(reader, depth + 1)
        if reader.take() != ("mark", ")"):
            raise NotRsql("A bracket is not closed.")
        return found
    if kind != "word":
        raise NotRsql(f"A name is expected: {text or 'the end'}")
    reader.terms += 1
    if reader.terms > TERMS_MAX:
        raise NotRsql(f"A question has at most {TERMS_MAX} comparisons.")
    return _compared(reader, text)


def _compared(reader: _Reader, name: str) -> Any:
    kind, comparison = reader.take()
    if kind != "compare":
        raise NotRsql(f"A comparison is expected after {name}.")
    comparison = _SAME.get(comparison, comparison)
    values = _values(reader, comparison in ("=in=", "=out="))
    base, dot, _ = name.lower().partition(".")
    field = reader.fields.get(name.lower())
    if field is None and dot and f"{base}.*" in reader.fields:
        field = reader.fields[f"{base}.*"](name.partition(".")[2])
    if field is None:
        raise NotRsql(f"There is nothing called {name} here.")
    return field(comparison, values) if callable(field) else condition(field, comparison, values)


def _values(reader: _Reader, several: bool) -> list[str]:
    if not several:
        return [_value(reader)]
    if reader.take() != ("mark", "("):
        raise NotRsql("A list stands in brackets.")
    values = [_value(reader)]
    while reader.take() == ("mark", ","):
        values.append(_value(reader))
    if reader.tokens[reader.at - 1 : reader.at] != [("mark", ")")]:
        raise NotRsql("A list is not closed.")
    return values


def _value(reader: _Reader) -> str:
    kind, text = reader.take()
    if kind == "quoted":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind != "word":
        raise NotRsql(f"A value is expected: {text or 'the end'}")
    return text


def condition(field: Any, comparison: str, values: list[str]) -> Any:
    """One comparison with a column; texts are compared without regard to case, as hawkBit does.

    Raises:
        NotRsql: no such comparison, or not a value of this column.
    """
    if comparison in ("=in=", "=out="):
        any_of = reduce(lambda one, other: one | other, (_equal(field, value) for value in values))
        return any_of if comparison == "=in=" else ~any_of
    if comparison in ("==", "!="):
        equal = _equal(field, values[0])
        return equal if comparison == "==" else ~equal
    if comparison not in _ORDERED:
        raise NotRsql(f"There is no comparison {comparison}.")
    value = _typed(field, values[0])
    return {"=lt=": field < value, "=le=": field <= value, "=gt=": field > value, "=ge=": field >= value}[comparison]


def _equal(field: Any, value: str) -> Any:
    if isinstance(field, peewee.IntegerField | peewee.BooleanField):
        return field == _typed(field, value)
    if "*" not in value:
        return peewee.fn.LOWER(field) == value.lower()
    plain = re.sub(r"([%_\\])", r"\\\1", value.lower()).replace("*", "%")
    pattern = peewee.NodeList((peewee.Value(plain, converter=False), peewee.SQL("ESCAPE '\\'")))
    return peewee.Expression(field, peewee.OP.ILIKE, pattern)


def _typed(field: Any, value: str) -> Any:
    if isinstance(field, peewee.BooleanField):
        return value.lower() == "true"
    if not isinstance(field, peewee.IntegerField):
        return value
    if not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise NotRsql(f"A whole number is expected: {value}")
    return int(value)
