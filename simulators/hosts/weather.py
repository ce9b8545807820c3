"""The weather between terminal and hosts: one object of fault switches, shared by all sandboxes of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CERTIFICATE_FAULTS = ("", "altered", "other_ca", "expired", "revoked", "other_holder")


@dataclass
class Weather:
    """Switches. Change them by ``change``, so that a listening socket opens or closes at once.

    ``only`` names the hosts that are hit; empty means all. ``certificate`` is one of ``CERTIFICATE_FAULTS``.
    """

    down: bool = False  # the port is closed
    slow_s: float = 0.0  # before the host even looks at the question
    drop_answer: bool = False  # the host books, and then says nothing
    answer_late_s: float = 0.0  # the host books, and says so after a while
    drop_question: bool = False  # the question never reaches the host (bank)
    bad_mac: bool = False  # the bank's answers carry a wrong MAC
    garbage: bool = False
    error_500: bool = False
    refuse_code: str = ""  # every question is refused with this problem code
    nobody_at_desk: bool = False
    certificate: str = ""
    platform_down: bool = False  # the medical insurance's port is closed; the hospital's own network is up
    platform_silent: bool = False  # the medical insurance books an act, and says nothing; questions it answers
    reversal_overtakes: bool = False  # a 2207 is silent, and books only after its 2601 was answered
    bank_down: bool = False  # the bank's port is closed
    bank_slow: bool = False  # the bank thinks for some seconds
    bank_silent: bool = False  # the bank books, and says nothing
    window_pays: bool = False  # the hospital's window pays a bill just before a terminal claims it
    day_is_over: bool = False  # the hospital has reconciled today already: its details of today are final
    only: frozenset[str] = frozenset()
    _listeners: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def change(self, **switches: Any) -> None:
        """Set switches and tell whoever listens.

        Raises:
            ValueError: there is no such switch, or no such certificate fault.
        """
        for name in switches:
            if name.startswith("_") or name not in self.__dataclass_fields__:
                raise ValueError(f"no such switch: {name}")
        if switches.get("certificate", "") not in CERTIFICATE_FAULTS:
            raise ValueError("no such certificate fault")
        for name, value in switches.items():
            setattr(self, name, value)
        for told in list(self._listeners):
            told()

    def clear(self) -> None:
        """Fair weather."""
        fair = Weather()
        self.change(**{name: getattr(fair, name) for name in self.__dataclass_fields__ if name != "_listeners"})

    def hits(self, host: str) -> bool:
        return not self.only or host in self.only

    def closed(self, host: str) -> bool:
        """Whether the host's port is closed now."""
        down = {"bank": self.bank_down, "medical_insurance": self.platform_down}
        return (self.down and self.hits(host)) or down.get(host, False)

    def listen(self, told: Callable[[], None]) -> Callable[[], None]:
        """Call ``told`` after every change; returns what ends that."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)
