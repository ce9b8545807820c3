"""Finds drivers by the names of the entry-point group ``yikatong.drivers``, ours and anybody's.

A driver is loaded only when a slot asks for it: nobody pays for the libraries of devices that are not there.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from kiosk.ports import Device, DeviceContext, UnusableSettings

GROUP = "yikatong.drivers"
OpenDevice = Callable[[Mapping[str, object], DeviceContext], Device]


class NoSuchDriver(UnusableSettings):
    """The settings name a driver that is not installed; the message lists those that are, for staff."""


@cache
def _found() -> dict[str, EntryPoint]:
    """Read once a process: it opens the metadata of every installed package (6 ms for some 90 packages)."""
    return {point.name: point for point in entry_points(group=GROUP)}


def known_drivers() -> tuple[str, ...]:
    """Names of all installed drivers, sorted."""
    return tuple(sorted(_found()))


def find_driver(name: str) -> OpenDevice:
    """The ``open_device`` of that driver: call it with the slot's options and context.

    Raises:
        NoSuchDriver: nobody offers this name, or what offers it cannot be loaded.
    """
    point = _found().get(name)
    if point is None:
        raise NoSuchDriver(f"no driver {name!r}; installed: {', '.join(known_drivers()) or 'none'}")
    try:
        open_device: OpenDevice = point.load()
    except (ImportError, AttributeError) as error:
        raise NoSuchDriver(f"driver {name!r} ({point.value}) cannot be loaded: {error}") from error
    return open_device
