"""A terminal without this host: a hall has no hospital. Every act is refused, so nothing can be half done."""

from typing import NoReturn

from kiosk.ports import HostRefused


class NotConnected:
    """Stands for a host that the settings do not name, or that must not be spoken to: ``why`` is then staff's word."""

    def __init__(self, name: str, why: str = "") -> None:
        self._name = name
        self.why = why

    def __getattr__(self, verb: str) -> NoReturn:
        raise HostRefused(self._name, "not_connected")
