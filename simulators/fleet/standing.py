"""Fifty thousand terminals of which each keeps its own line: TCP, mutual TLS, its own certificate, one poll a minute.

So it is in the world: a terminal polls oftener than nginx closes an idle line. Who asks is what nginx verified at the
handshake, once for each terminal; nothing is named by a header. First everybody comes once, at ``FIRST_PER_S`` (a
handshake costs more than ten polls), and that is not counted; then the pace begins and the lines stand. One process may
have only so many files open, so several share the terminals: ``poll_standing`` starts them, ``main`` is one of them.
"""

import heapq
import json
import math
import resource
import select
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from simulators.fleet.line import READ, Line, LineBroken
from simulators.fleet.load import WAIT_S, LoadResult
from simulators.fleet.questions import HEALTH_EVERY, SimulatedTerminal, question, read_terminals
from simulators.fleet.server import FleetPlan
from simulators.processes import ChildEnded, Children

FIRST_PER_S = 250.0
LINES_MAX = 15_000  # of one process
GREETING_MAX = 64  # handshakes of one process at one time
SETTLE_S = 10.0  # after the first round, for its last answers
BACK_S_MAX = 90.0  # after the pace, for those who were sent away
AGAIN_S = 1.0  # a line that broke is opened anew
ASKED_AT_ONCE_MAX = 200  # before answers are heard again
FILES_SPARE = 200
SOURCE_LINES = 20_000  # from one address of loopback: ports towards one server are fewer than 30,000


@dataclass(frozen=True)
class Part:
    """One process: every ``parts``-th terminal from ``part`` on. ``rate`` of all of them together; ``begins_s`` of
    CLOCK_MONOTONIC: when the first round is over and the pace begins."""

    rehearsal: str
    city: str
    port: int
    authority: str
    rate: float
    seconds: float
    first_s: float
    begins_s: float
    part: int
    parts: int
    result: str


def first_round_s(terminals: int) -> float:
    return terminals / FIRST_PER_S + SETTLE_S


def parts_for(terminals: int) -> int:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return math.ceil(terminals / min(LINES_MAX, files - FILES_SPARE))


async def poll_standing(
    children: Children, plan: FleetPlan, rate: float, seconds: float, begins_s: float
) -> LoadResult:
    """Raises ChildEnded: a process of the generator did not come to its end."""
    parts, running = parts_for(plan.terminals), []
    first = Part(
        rehearsal=str(plan.rehearsal),
        city=plan.city,
        port=plan.device_port,
        authority=str(plan.pki.certificate("fleet-ca")),
        rate=rate,
        seconds=seconds,
        first_s=first_round_s(plan.terminals),
        begins_s=begins_s,
        part=0,
        parts=parts,
        result="",
    )
    for number in range(parts):
        files = [plan.folder / f"load-{number}.{kind}" for kind in ("json", "result")]
        one = replace(first, part=number, result=str(files[1]))
        files[0].write_text(json.dumps(asdict(one)))
        command = [sys.executable, "-m", "simulators.fleet.standing", str(files[0])]
        running.append((children.start(f"load-{number}", command), files[1]))
    whole = LoadResult()
    for child, result in running:
        if await child.wait():
            raise ChildEnded(f"{child.name} did not come to its end, see {child.log}")
        whole.add(LoadResult(**json.loads(result.read_text())))
    return whole


def main() -> int:
    part = Part(**json.loads(Path(sys.argv[1]).read_text()))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    terminals = read_terminals(Path(part.rehearsal), part.city)[part.part :: part.parts]
    result = Standing(terminals, part).run()
    Path(part.result).write_text(json.dumps(asdict(result)))
    return 0


class Standing:
    def __init__(self, terminals: Sequence[SimulatedTerminal], part: Part) -> None:
        self._terminals, self._part = terminals, part
        self._with_health = [question(one, health=True, proven=False) for one in terminals]
        self._without = [question(one, health=False, proven=False) for one in terminals]
        self._polls = [0] * len(terminals)
        self._lines: list[Line | None] = [None] * len(terminals)
        self._of: dict[int, int] = {}  # descriptor -> terminal
        self._due: dict[int, float] = {}  # terminal -> since when its question waits for its line
        self._again: list[tuple[float, float, int]] = []  # when to try again, since when it is due, who
        self._greeting = 0
        self._epoll = select.epoll()
        # One for all: each connection takes the certificate that is loaded at that moment, and keeps it.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(part.authority)
        self._interval_s = len(terminals) / (part.rate / part.parts)
        self.result = LoadResult()

    def run(self) -> LoadResult:
        """What came of the pace; of the first round only what went wrong."""
        part, count = self._part, len(self._terminals)
        self._round(part.begins_s - part.first_s, FIRST_PER_S / part.parts, count, part.begins_s)
        first, self.result = self.result, LoadResult()
        polls = round(part.rate / part.parts * part.seconds)
        ended_s = self._round(part.begins_s, part.rate / part.parts, polls, part.begins_s + part.seconds)
        self._finish(ended_s + BACK_S_MAX)
        result = self.result
        result.seconds = ended_s - part.begins_s
        result.overdue += sum(line is not None and line.terminal >= 0 for line in self._lines)
        result.overdue += len(self._due) + len(self._again)
        result.broken += first.broken
        result.refused += first.refused
        return result

    def _round(self, begins_s: float, rate: float, polls: int, until_s: float) -> float:
        """``polls`` questions at ``rate``, the terminals in turn; when it was over, at least ``until_s``."""
        asked = 0
        while (now_s := time.monotonic()) < until_s or asked < polls:
            self._try_again(now_s)
            for _ in range(ASKED_AT_ONCE_MAX):
                if asked == polls or begins_s + asked / rate > now_s or self._greeting >= GREETING_MAX:
                    break
                self._ask(asked % len(self._terminals), begins_s + asked / rate)
                asked += 1
            self._hear(min(WAIT_S, 1 / rate))
        return time.monotonic()

    def _finish(self, until_s: float) -> None:
        """Nobody new comes; whoever asked is heard, and whoever was sent away comes back."""
        while time.monotonic() < until_s and (self._again or self._due or self._asking()):
            self._try_again(time.monotonic())
            self._hear(WAIT_S)

    def _asking(self) -> bool:
        return any(line is not None and line.terminal >= 0 for line in self._lines)

    def _try_again(self, now_s: float) -> None:
        while self._again and self._again[0][0] <= now_s:
            _, due_s, terminal = heapq.heappop(self._again)
            self._ask(terminal, due_s)

    def _ask(self, terminal: int, due_s: float) -> None:
        line = self._lines[terminal]
        if line is None:
            self._wait(terminal, due_s)
            self._open(terminal)
        elif not line.ready or line.terminal >= 0:
            self._wait(terminal, due_s)  # it asks once its line is free
        else:
            told = self._with_health if self._polls[terminal] % HEALTH_EVERY == 0 else self._without
            self._polls[terminal] += 1
            line.terminal, line.asked_s = terminal, due_s
            try:
                line.ask(told[terminal])
            except LineBroken:
                self._broke(terminal)

    def _wait(self, terminal: int, due_s: float) -> None:
        self.result.joined += terminal in self._due
        self._due.setdefault(terminal, due_s)

    def _open(self, terminal: int) -> None:
        self._context.load_cert_chain(self._terminals[terminal].pem)
        source = f"127.0.0.{2 + (terminal * self._part.parts + self._part.part) // SOURCE_LINES}"
        line = Line(("127.0.0.1", self._part.port), self._context, source)
        self._lines[terminal] = line
        self._of[line.fileno()] = terminal
        self._greeting += 1
        self._epoll.register(line, READ)
        self._greet(terminal)

    def _greet(self, terminal: int) -> None:
        line = self._lines[terminal]
        assert line is not None
        try:
            wants = line.greet()
        except LineBroken:
            self._broke(terminal)
            return
        self._epoll.modify(line, wants or READ)
        if line.ready:
            self._greeting -= 1
            self._next(terminal)

    def _next(self, terminal: int) -> None:
        if terminal in self._due:
            self._ask(terminal, self._due.pop(terminal))

    def _hear(self, wait_s: float) -> None:
        for descriptor, _ in self._epoll.poll(wait_s):
            terminal = self._of[descriptor]
            line = self._lines[terminal]
            assert line is not None
            if not line.ready:
                self._greet(terminal)
                continue
            try:
                answer = line.hear()
            except LineBroken:
                self._broke(terminal)
                continue
            if answer is not None and line.terminal >= 0:
                self._answered(terminal, line, answer)

    def _answered(self, terminal: int, line: Line, answer: bytes) -> None:
        line.terminal = -1
        now_s = time.monotonic()
        wait_s = self.result.hear(answer, now_s - line.asked_s, self._interval_s)
        if wait_s:
            self._polls[terminal] -= 1  # what it told then was not heard
            heapq.heappush(self._again, (now_s + wait_s, line.asked_s, terminal))
        self._next(terminal)

    def _broke(self, terminal: int) -> None:
        """As a terminal would: a new line, a moment later, and its question again."""
        line = self._lines[terminal]
        assert line is not None
        self.result.broken += 1
        due_s = self._due.pop(terminal, line.asked_s if line.terminal >= 0 else None)
        if due_s is not None:
            heapq.heappush(self._again, (time.monotonic() + AGAIN_S, due_s, terminal))
        self._greeting -= not line.ready
        self._epoll.unregister(line)
        del self._of[line.fileno()]
        line.close()
        self._lines[terminal] = None


if __name__ == "__main__":
    sys.exit(main())
