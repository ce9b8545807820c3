"""The way to the hosts in memory: the real clients and codecs, the real sandboxes, and a network that has its moods."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trio

from kiosk.hosts.link import HttpsHostLink, _Exchange
from kiosk.ports import Log
from kiosk.settings.config import HostSettings
from simulators.deterministic.fuse import Fuse
from simulators.hosts.app import weathered
from simulators.hosts.sandbox import Ask, Reply, Sandbox

OTHER_WAY_S = 0.04  # there and back
PLATFORM = "medical_insurance"
ONLY_ASKED = "/debts/reserve"  # by the key by which its end is told later


@dataclass
class Network:
    """What becomes of one call: chances, and from when to when nothing gets through at all (virtual seconds)."""

    chance: random.Random
    lose_question: float = 0.0
    lose_answer: float = 0.0
    twice: float = 0.0  # the question arrives again, a moment after the first was answered
    late: float = 0.0  # the answer takes longer than anybody waits
    dark_until_s: float = 0.0
    dark_hosts: frozenset[str] = frozenset()  # of which nothing is heard for as long as they stand here
    happened: dict[str, int] = field(default_factory=dict)
    arrived: dict[str, list[str]] = field(default_factory=dict)  # host -> keys that came there, in order, each time
    owed_at: dict[str, int] = field(default_factory=dict)  # key -> so many had come there when it began to be owed
    said: dict[str, str] = field(default_factory=dict)  # message id of the platform -> what was said by it
    ids_twice: list[str] = field(default_factory=list)  # said of two things
    # label -> what the next messages of it meet on their way, one after another; see strikes.py
    strikes: dict[str, list[Callable[[], str]]] = field(default_factory=dict)

    @property
    def repeated(self) -> bool:
        """Whether any question arrived twice by the network's doing."""
        return "twice" in self.happened

    def is_dark(self, host: str) -> bool:
        return host in self.dark_hosts or trio.current_time() < self.dark_until_s

    def fate(self, host: str) -> str:
        """ "" | lose_question | lose_answer | twice | late | dark."""
        if self.is_dark(host):
            return self._count("dark")
        for name in ("lose_question", "lose_answer", "twice", "late"):
            chance: float = getattr(self, name)
            if chance and self.chance.random() < chance:
                return self._count(name)
        return ""

    def says(self, host: str, body: bytes) -> None:
        """Each message id of the platform is for one message (rule 4); the very same one may be told again."""
        if host == PLATFORM:
            told: Any = json.loads(body)
            about = json.dumps(told["input"], sort_keys=True)
            if self.said.setdefault(told["msgid"], about) != about:
                self.ids_twice.append(f"{told['msgid']} ({told['infno']})")

    def struck(self, label: str) -> str:
        """The fate that was laid for this message; "": none. Another one is then not asked for."""
        laid = self.strikes.get(label)
        fate = laid.pop(0)() if laid else ""
        return self._count(fate) if fate else ""

    def _count(self, name: str) -> str:
        self.happened[name] = self.happened.get(name, 0) + 1
        return name


class MemoryHostLink(HttpsHostLink):
    """The real link with another exchange: how answers are judged and decoded is the product's own.

    ``before``: what happens just before a call arrives, by its label; see ``label_of``.
    """

    def __init__(self, sandbox: Sandbox, settings: HostSettings, log: Log, network: Network, fuse: Fuse) -> None:
        super().__init__(sandbox.name, settings, log)
        self._sandbox, self._network, self._fuse = sandbox, network, fuse
        self.before: dict[str, Callable[[], str | None]] = {}

    async def _exchange(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        sent: bytes | None,
        bytes_max: int,
        within_s: float | None,
    ) -> tuple[int, bytes]:
        deadline_s = within_s or self._settings.deadline_s
        exchange = _Exchange(path, method, headers, sent, bytes_max, deadline_s)
        ask = Ask(method, path, sent or b"", headers.get("Idempotency-Key", ""), headers=_lower(headers))
        with trio.move_on_after(deadline_s) as limit:
            reply = await self._answered(ask)
            exchange.status, exchange.received = reply.status, reply.body
        if limit.cancelled_caught:
            self._unknown("no complete answer in time")
        if len(exchange.received) > bytes_max:
            self._unknown("answer exceeds its limit")
        self._judge(exchange)
        return exchange.status, exchange.received

    async def _answered(self, ask: Ask) -> Reply:
        """May never return: silence."""
        label = label_of(self._sandbox.name, ask)
        self._fuse.burn(f"{label} asked")
        self._network.says(self._sandbox.name, ask.body)
        await trio.sleep(OTHER_WAY_S / 2)
        fate = self._network.struck(label) or self._network.fate(self._sandbox.name)
        if label in self.before:
            fate = self.before[label]() or fate
        if fate in ("dark", "lose_question") or self._sandbox.weather.closed(self._sandbox.name):
            await trio.sleep_forever()
        reply = await weathered(self._sandbox, ask, self._at_once)
        if fate == "twice":
            self._sandbox.answer(ask)
        if fate in ("lose_answer", "late") or reply is None:
            await trio.sleep_forever()
        await trio.sleep(OTHER_WAY_S / 2)
        self._fuse.burn(f"{label} answered")
        assert reply is not None
        return reply

    async def _at_once(self, sandbox: Sandbox, ask: Ask) -> Reply:
        if not ask.path.endswith(ONLY_ASKED):
            self._network.arrived.setdefault(sandbox.name, []).extend(keys_in(ask))
        return sandbox.answer(ask)


def keys_in(ask: Ask) -> list[str]:
    """Of one question, or of each item of a batch."""
    if ask.key:
        return [ask.key]
    try:
        told: Any = json.loads(ask.body)
    except ValueError:
        return []
    items = next((one for one in told.values() if isinstance(one, list)), []) if isinstance(told, dict) else []
    return [str(one["key"]) for one in items if isinstance(one, dict) and "key" in one]


def label_of(host: str, ask: Ask) -> str:
    """What a person calls this call: the message's number at the platform, else host and path."""
    if host == "medical_insurance":
        return _number_in(ask.body) or host
    return f"{host} {ask.path.removeprefix('/v1/')}"


def _number_in(body: bytes) -> str:
    try:
        found: Any = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("infno", "")) if isinstance(found, Mapping) else ""


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
