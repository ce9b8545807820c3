"""Strict reading of what a host sent: into typed structs, or ``BadShape``. No IO."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class BadShape(ValueError):
    """An answer that does not have the documented shape. Says nothing of its content."""


class Part(msgspec.Struct, kw_only=True):
    """A documented object. Fields that we do not know are passed over: hosts may add some."""


def read(body: Any, shape: type[T]) -> T:
    """``body`` as ``shape``.

    Raises:
        BadShape: a missing field, a wrong type or a value out of its range.
    """
    try:
        return msgspec.convert(body, shape)
    except (msgspec.ValidationError, RecursionError):
        # Not chained: the library's message may quote a value.
        raise BadShape(f"not a {shape.__name__}") from None
