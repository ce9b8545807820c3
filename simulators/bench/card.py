"""The card path: our driver beside raw PC/SC calls in the same run, and a whole visit without the card's own time."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import trio

from drivers.apdu.command import Command
from drivers.apdu.exchange import send
from drivers.card_reader.pcsc.driver import PcscCardReader, open_device
from drivers.sam_reader.psam.driver import open_device as open_psam
from drivers.transport.scard import scard
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext
from simulators.bench import Measurement
from simulators.cards.rack import CardRack
from simulators.cards.slot import CardSlot
from simulators.pcscd import PrivatePcscd
from simulators.worlds.world import Card, Keys, Resident, World

APDUS = 30
ROUNDS = 300
VISITS = 12
START_S_MAX = 15.0
_WORLD = """
name = "bench"
[[residents]]
handle = "r"
name = "张三"
number = "11010519491231002X"
[[cards]]
handle = "c"
title = "bench"
resident = "r"
"""


def run() -> Iterator[Measurement]:
    """One pcscd for both: a process can speak to one socket only."""
    with tempfile.TemporaryDirectory() as directory, PrivatePcscd(Path(directory) / "pcscd") as pcscd:
        os.environ["PCSCLITE_CSOCK_NAME"] = str(pcscd.socket_path)
        ours, raw = trio.run(_job_over_raw, pcscd, Path(directory))
        ratios = sorted(mine / theirs for mine, theirs in zip(ours, raw, strict=True))
        quarter = len(ratios) // 4
        how = f"n {len(ratios)} pairs, quartiles {ratios[quarter]:.3f} to {ratios[-quarter]:.3f}"
        yield Measurement("30-APDU job over raw PC/SC", median(ratios), "x", 1.15, how)
        yield Measurement("30-APDU job", median(ours) * 1000, "ms", 60.0, f"raw {median(raw) * 1000:.2f} ms")
        yield Measurement(
            "identity, genuine check and holder without card time",
            round(trio.run(_visits_ms, pcscd, Path(directory)), 2),
            "ms",
            60.0,
        )


async def _job_over_raw(pcscd: PrivatePcscd, directory: Path) -> tuple[list[float], list[float]]:
    """Seconds of many rounds in pairs, one after the other, so that whatever else the machine does hits both."""
    with _card_process(directory, pcscd.card_port):
        async with trio.open_nursery() as nursery:
            reader = _reader(directory)
            await nursery.start(reader.run)
            with trio.fail_after(START_S_MAX):
                insertion = await reader.line.wait_card()
            ours, raw = await _rounds(reader, insertion)
            nursery.cancel_scope.cancel()
    return ours, raw


async def _rounds(reader: PcscCardReader, insertion: int) -> tuple[list[float], list[float]]:
    """Seconds of each round, ours and raw; who goes first alternates, since the second finds everything awake."""
    raw_round = _raw_rounds(reader.reader_name)
    ours: list[float] = []
    raw: list[float] = []
    for number in range(ROUNDS):
        for turn in (number, number + 1):
            started = time.perf_counter()
            if turn % 2:
                raw_round()
            else:
                await reader.line.job(insertion, lambda atr: _thirty())
            (raw if turn % 2 else ours).append(time.perf_counter() - started)
    warm = ROUNDS // 10
    return ours[warm:], raw[warm:]


def _thirty() -> Generator[bytes, bytes, None]:
    challenge = Command(0x00, 0x84, 0x00, 0x00, le=4)
    for _ in range(APDUS):
        yield from send(challenge)


def _raw_rounds(reader: str) -> Callable[[], None]:
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    _, card, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, protocols)
    command = [0x00, 0x84, 0x00, 0x00, 0x04]

    def one_round() -> None:
        for _ in range(APDUS):
            result, answer = scard.SCardTransmit(card, protocol, command)
            assert result == scard.SCARD_S_SUCCESS and len(answer) == 6

    return one_round


async def _visits_ms(pcscd: PrivatePcscd, directory: Path) -> float:
    """Median of: card seen, then EF05, genuine check by PSAM, external authentication and EF06 of a 3.00 card."""
    resident = Resident(handle="r", name="张三", number="11010519491231002X")
    card = Card(handle="c", title="bench", resident="r", spec="3.00")
    rack = CardRack(World(name="bench", residents=[resident], cards=[card], keys=Keys()))
    slot, sam_slot = (CardSlot("127.0.0.1", port, was_in_use=True) for port in (pcscd.card_port, pcscd.sam_port))
    visits = []
    async with trio.open_nursery() as nursery:
        for part in (slot, sam_slot):
            await nursery.start(part.run)
        await sam_slot.insert(rack.psam)
        reader, psam = _reader(directory), open_psam({}, _context("sam_reader", directory))
        await nursery.start(reader.run)
        await nursery.start(psam.run)
        for _ in range(VISITS):
            await slot.insert(rack.card("c"))
            with trio.fail_after(START_S_MAX):
                await reader.wait_card()
            card_s, started = slot.apdu_seconds + sam_slot.apdu_seconds, time.perf_counter()
            await reader.read_identity()
            await reader.prove_genuine(psam)
            await reader.read_holder()
            elapsed = time.perf_counter() - started
            visits.append(elapsed - (slot.apdu_seconds + sam_slot.apdu_seconds - card_s))
            await slot.remove()
            with trio.fail_after(START_S_MAX):
                await reader.wait_no_card()
        nursery.cancel_scope.cancel()
    return median(visits) * 1000


def _reader(directory: Path) -> PcscCardReader:
    return open_device({}, _context("card_reader", directory))


def _context(slot: str, directory: Path) -> DeviceContext:
    def report(health: Health) -> None:
        del health

    def log(event: str, **fields: str | int | float | bool | None) -> None:
        del event, fields

    return DeviceContext(slot, report, log, directory)


@contextmanager
def _card_process(directory: Path, port: int) -> Iterator[None]:
    """The card in a process of its own, as it would be on its own chip: it takes no time from the driver."""
    world = directory / "bench.toml"
    world.write_text(_WORLD)
    command = [sys.executable, "-m", "simulators.cards", "--world", str(world), "--card", "c", "--vpcd", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
