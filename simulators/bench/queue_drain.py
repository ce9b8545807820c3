"""How long the forwarder takes to tell a host ten thousand notices, fifty at a time, over local mutual TLS.

Real: outbox, courier, client, link and TLS, in this process. The host is another process that takes all it is told
(``queue_host``), at once, or after the 100 ms that a line's round trip lasts: then questions in a row cannot take less
than their number times 100 ms. The line was opened by one notice before the clock runs, as after the first of a day.
"""

import io
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from kiosk.basics.log import Field, JsonLog
from kiosk.forwarder.notices import card_platform_batches, card_platform_notices, deliver_notices
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.link import HttpsHostLink
from kiosk.settings.config import HostSettings
from simulators.bench import Measurement
from simulators.bench.queue import HOST, TOGETHER, Ours
from simulators.pki import Pki, make_pki

NOTICES = 10_000
ROUND_TRIP_S = 0.1
NOTICES_FAR = 2_000  # twenty seconds of waiting would tell no more than four
FIVE_YEARS_DAYS = 1826
DRAIN_S_MAX = 120.0
RUNS = 3


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        pki = make_pki(Path(folder) / "pki")
        for name, days, target_s in (("", FIVE_YEARS_DAYS, 0.6), (", every answer flushed", 0, math.inf)):
            took = sorted(_drained(Path(folder), pki, NOTICES, days, 0.0) for _ in range(RUNS))
            how = f"median of {RUNS}: {', '.join(f'{one:.2f}' for one in took)}"
            yield Measurement(f"queue drained of {NOTICES}{name}", took[RUNS // 2], "s", target_s, how)
        far = _drained(Path(folder), pki, NOTICES_FAR, FIVE_YEARS_DAYS, ROUND_TRIP_S)
        least = NOTICES_FAR / TOGETHER * ROUND_TRIP_S
        how = f"{NOTICES_FAR} notices in {far:.2f} s, {NOTICES_FAR // TOGETHER} questions in a row"
        yield Measurement("queue drained at 100 ms round trip, over the least possible", far / least, "ratio", 1.3, how)


def _drained(folder: Path, pki: Pki, notices: int, remembers_days: int, delay_s: float) -> float:
    """Seconds."""
    with tempfile.TemporaryDirectory(dir=folder) as data, _host(pki, delay_s) as port:
        ours = Ours(Path(data))
        ours.put_together(notices // TOGETHER)
        settings = HostSettings(
            url=f"https://127.0.0.1:{port}",
            ca=str(pki.hosts_ca),
            certificate=str(pki.terminal_certificate),
            private_key=str(pki.terminal_key),
            batch_items_max=TOGETHER,
            remembers_keys_days=remembers_days,
        )
        took_s = trio.run(_drain, ours, settings, notices)
        ours.journal.close()
        return took_s


async def _drain(ours: Ours, settings: HostSettings, notices: int) -> float:
    written, told, done = JsonLog(io.StringIO()), 0, trio.Event()

    def log(event: str, **fields: Field) -> None:
        nonlocal told
        written(event, **fields)
        if event == "notices_told":
            told += int(fields["count"] or 0)
            if told >= notices:
                done.set()

    link = HttpsHostLink(HOST, settings, log)
    client = CardPlatformClient(link)
    await client.notice_pins_changed([])
    with trio.fail_after(DRAIN_S_MAX):
        async with trio.open_nursery() as nursery:
            began = time.perf_counter()
            batches = card_platform_batches(client, settings)
            nursery.start_soon(deliver_notices, ours.journal.outbox, card_platform_notices(client), log, batches)
            await done.wait()
            took_s = time.perf_counter() - began
            nursery.cancel_scope.cancel()
    link.close()
    assert ours.journal.outbox.unsent_count() == 0
    return took_s


@contextmanager
def _host(pki: Pki, delay_s: float) -> Iterator[int]:
    command = [sys.executable, "-m", "simulators.bench.queue_host", str(pki.directory), str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.terminate()
