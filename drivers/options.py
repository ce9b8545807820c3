"""A driver's options: from the settings file's table into a frozen dataclass. Unknown or mistyped ones are errors."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from kiosk.ports import UnusableSettings

Settings = TypeVar("Settings")


class OptionError(UnusableSettings):
    """A driver's option cannot be used; the message says which and why."""


def read_options(kind: type[Settings], options: Mapping[str, object]) -> Settings:
    """Build ``kind``, a dataclass of str, int, float and bool fields with defaults.

    Raises:
        OptionError: an unknown option, or a value of another type (an int is good for a float).
    """
    known: dict[str, Any] = {one.name: one.default for one in fields(kind)}  # type: ignore[arg-type]  # any dataclass
    for name, value in options.items():
        if name not in known:
            raise OptionError(f"unknown option: {name}")
        wanted = type(known[name])
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if not fits:
            raise OptionError(f"option {name}: {wanted.__name__} wanted, {type(value).__name__} found")
    return kind(**options)
