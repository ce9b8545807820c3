"""Counters that two processes must not share: message ids of the platform, trace numbers of the bank."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.hosts.bank.terminal import TraceCounter, TraceCounterBroken
from kiosk.hosts.medical_insurance.message_id import MessageIds, MessageIdsUnusable

MESSAGE_IDS = """
from datetime import UTC, datetime
from kiosk.hosts.medical_insurance.message_id import MessageIds
counter = MessageIds({path!r}, "H99000100001", 1, 9, lambda: datetime(2026, 11, 21, tzinfo=UTC))
counter.new()
"""
TRACES = """
from kiosk.hosts.bank.terminal import TraceCounter
counter = TraceCounter({path!r})
counter.draw()
"""


def message_ids(path: Path) -> None:
    MessageIds(path, "H99000100001", 1, 9, lambda: datetime(2026, 11, 21, tzinfo=UTC)).new()


def traces(path: Path) -> None:
    TraceCounter(path).draw()


@contextmanager
def other_process(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Has opened the counter, and keeps it until it is killed."""
    words = "from pathlib import Path, PosixPath\n" + program.format(path=path) + "print('mine', flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "mine\n"
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize(
    ("program", "use", "refusal"),
    [(MESSAGE_IDS, message_ids, MessageIdsUnusable), (TRACES, traces, TraceCounterBroken)],
    ids=["message ids", "traces"],
)
def test_second_process_is_refused(
    program: str, use: Callable[[Path], None], refusal: type[Exception], tmp_path: Path
) -> None:
    """While another process counts, ours gets no number; the kernel frees the counter when that one is killed."""
    path = tmp_path / "counter"
    with other_process(program, path) as child:
        before = path.read_bytes()
        with pytest.raises(refusal, match="another process"):
            use(path)
        assert path.read_bytes() == before
        child.kill()
        child.wait(10)
        use(path)
        assert path.read_bytes() != before


def test_our_own_process_may_open_it_again(tmp_path: Path) -> None:
    """A client that is made anew after a fault goes on with the count."""
    first = TraceCounter(tmp_path / "counter")
    assert [first.draw(), TraceCounter(tmp_path / "counter").draw()] == ["000001", "000002"]
