"""Many terminals that ask, from one thread: a schedule, a bounded number of connections, and what came of it.

Identity over shared connections: without TLS the generator stands where nginx stands and names each terminal by the
headers that nginx sets, on connections that all share. With TLS a connection is one terminal's, as in the world; it is
kept for ``USES_MAX`` questions and then makes room for the next certificate. Where every terminal keeps a line of its
own, as in the world too, is ``standing.py``.
"""

import heapq
import json
import select
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from simulators.fleet.line import READ, Line, LineBroken, header
from simulators.fleet.questions import HEALTH_EVERY, SimulatedTerminal, question, read_terminals
from simulators.fleet.server import LOOPBACK, FleetPlan

USES_MAX = 40  # questions over one TLS connection
WAIT_S = 0.05
DUE_AGAIN_S = 0.002  # somebody may be due: look again
LAST_ANSWERS_S = 10.0
RATE_ALL = float("inf")  # as fast as it is answered


@dataclass(frozen=True)
class Pace:
    """``rate`` questions a second for ``seconds``, the terminals in turn; one in ``health_every`` tells its health.
    ``askers``: so many of the terminals, from all over the list; 0 for all. ``until_back_s``: nobody new comes after
    ``seconds``, but whoever was sent away is waited for, at most so long."""

    rate: float
    seconds: float
    connections: int
    health_every: int = HEALTH_EVERY
    until_back_s: float = 0.0
    askers: int = 0


@dataclass
class LoadResult:
    """Milliseconds are from the moment at which a question was due to its answer. ``overdue``: terminals that were
    answered later than one interval after they were due, or never. ``joined``: questions that came due while an earlier
    one of the same terminal still waited for its line, and that were asked as one with it."""

    answered: int = 0
    shed: int = 0
    refused: int = 0
    broken: int = 0
    overdue: int = 0
    joined: int = 0
    seconds: float = 0.0
    retry_after_s: list[int] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.answered / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("inf")

    def hear(self, answer: bytes, late_s: float, interval_s: float) -> int:
        """An answer, ``late_s`` after its question was due. Seconds to wait where it says "later", else 0."""
        status = answer[9:12]
        if status == b"200":
            self.answered += 1
            self.took_ms.append(late_s * 1000)
            self.overdue += late_s > interval_s
        elif status == b"503":
            wait_s = header(answer.partition(b"\r\n\r\n")[0], b"retry-after")
            self.shed += 1
            self.retry_after_s.append(wait_s)
            return wait_s
        else:
            self.refused += 1
        return 0

    def add(self, other: "LoadResult") -> None:
        """What another process saw at the same time."""
        for name in ("answered", "shed", "refused", "broken", "overdue", "joined", "retry_after_s", "took_ms"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seconds = max(self.seconds, other.seconds)

    def as_line(self) -> str:
        told = {
            "polls_per_s": round(self.rate, 1),
            "p50_ms": round(self.percentile_ms(50), 2),
            "p99_ms": round(self.percentile_ms(99), 2),
        }
        counts = ("answered", "shed", "refused", "broken", "overdue")
        return json.dumps({**told, **{name: getattr(self, name) for name in counts}})


def poll_for(plan: FleetPlan, pace: Pace, *, tls: bool = False) -> LoadResult:
    """Blocks its thread for ``pace.seconds`` and the last answers."""
    terminals = read_terminals(plan.rehearsal, plan.city)
    terminals = terminals[:: max(1, len(terminals) // (pace.askers or len(terminals)))]
    if tls:
        terminals = [one for one in terminals if one.pem.exists()]
        return Load(terminals, [(LOOPBACK, plan.device_port)], pace, plan.pki.certificate("fleet-ca")).run()
    return Load(terminals, plan.sockets, pace).run()


class Load:
    def __init__(
        self,
        terminals: Sequence[SimulatedTerminal],
        addresses: Sequence[Path | tuple[str, int]],
        pace: Pace,
        authority: Path | None = None,
    ) -> None:
        self._terminals, self._addresses, self._pace = terminals, addresses, pace
        ask = partial(question, proven=authority is None)
        self._with_health = [ask(one, health=True) for one in terminals]
        self._without = [ask(one, health=False) for one in terminals]
        self._contexts = [_context(one, authority) for one in terminals] if authority else []
        self._interval_s = len(terminals) / pace.rate if pace.rate != RATE_ALL else RATE_ALL
        self._polls = [0] * len(terminals)
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._free: deque[Line] = deque()
        self._again: list[tuple[float, int]] = []  # those who were told to come later
        self._next_context = 0
        self._owner: dict[int, int] = {}  # descriptor of a TLS connection -> whose certificate it bears
        self.result = LoadResult()

    def run(self) -> LoadResult:
        for number in range(self._pace.connections):
            self._open(number)
        for number, line in enumerate(self._lines.values()):
            line.uses = number % USES_MAX  # else all of them would shake hands anew in one moment
        self._hear_all(time.monotonic() + LAST_ANSWERS_S)  # the first handshakes are no polls
        begins_s, asked = time.monotonic(), 0
        ends_s = begins_s + self._pace.seconds
        while (now_s := time.monotonic()) < ends_s:
            asked = self._ask_who_is_due(begins_s, now_s, asked)
            self._hear(WAIT_S)
        while self._again and (now_s := time.monotonic()) < begins_s + self._pace.until_back_s:
            self._ask_again(now_s)
            self._hear(WAIT_S)
        self._hear_all(time.monotonic() + LAST_ANSWERS_S)
        self.result.seconds = time.monotonic() - begins_s
        self.result.overdue += sum(line.terminal >= 0 for line in self._lines.values())
        for line in self._lines.values():
            line.close()
        self._epoll.close()
        return self.result

    def _hear_all(self, until_s: float) -> None:
        while len(self._free) < len(self._lines) and time.monotonic() < until_s:
            self._hear(WAIT_S)

    def _ask_who_is_due(self, begins_s: float, now_s: float, asked: int) -> int:
        rate = self._pace.rate
        self._ask_again(now_s)
        while self._free:
            if rate == RATE_ALL:
                due_s, terminal, asked = now_s, asked, asked + 1
            elif begins_s + asked / rate <= now_s:
                due_s, terminal, asked = begins_s + asked / rate, asked, asked + 1
            else:
                break
            self._ask(terminal % len(self._terminals), due_s)
        return asked

    def _ask_again(self, now_s: float) -> None:
        while self._free and self._again and self._again[0][0] <= now_s:
            due_s, terminal = heapq.heappop(self._again)
            self._ask(terminal, due_s)

    def _ask(self, terminal: int, due_s: float) -> None:
        line = self._free.popleft()
        if self._contexts:
            terminal = self._owner[line.fileno()]  # its certificate says who asks
        told = self._with_health if self._polls[terminal] % self._pace.health_every == 0 else self._without
        self._polls[terminal] += 1
        line.terminal, line.asked_s = terminal, due_s
        try:
            line.ask(told[terminal])
        except LineBroken:
            self._broke(line)

    def _hear(self, wait_s: float) -> None:
        for descriptor, _ in self._epoll.poll(DUE_AGAIN_S if self._free else wait_s):
            line = self._lines[descriptor]
            try:
                if not line.ready:
                    self._greeted(line)
                elif (answer := line.hear()) is not None:
                    self._answered(line, answer)
            except LineBroken:
                self._broke(line)

    def _greeted(self, line: Line) -> None:
        wants = line.greet()
        self._epoll.modify(line, wants or READ)
        if not wants:
            self._free.append(line)

    def _answered(self, line: Line, answer: bytes) -> None:
        terminal, line.terminal = line.terminal, -1
        if terminal < 0:
            return
        now_s = time.monotonic()
        wait_s = self.result.hear(answer, now_s - line.asked_s, self._interval_s)
        if wait_s:
            heapq.heappush(self._again, (now_s + wait_s, terminal))
        if self._contexts and line.uses >= USES_MAX:
            self._close(line)
            self._open(len(self._lines))
        else:
            self._free.append(line)

    def _broke(self, line: Line) -> None:
        self.result.broken += 1
        self._close(line)
        self._open(len(self._lines))

    def _close(self, line: Line) -> None:
        self._epoll.unregister(line)
        del self._lines[line.fileno()]
        line.close()

    def _open(self, number: int) -> None:
        context = None
        if self._contexts:
            owner, self._next_context = self._next_context, (self._next_context + 1) % len(self._contexts)
            context = self._contexts[owner]
        line = Line(self._addresses[number % len(self._addresses)], context)
        self._lines[line.fileno()] = line
        if context is None:
            self._epoll.register(line, READ)
            self._free.append(line)
            return
        self._owner[line.fileno()] = owner
        wants = line.greet()
        self._epoll.register(line, wants or READ)
        if not wants:
            self._free.append(line)


def _context(terminal: SimulatedTerminal, authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.load_cert_chain(terminal.pem)
    return context
