"""A key block through agent and kiosk into a pad that unwraps it; another program judges the check value."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from psec import des

from kiosk.agent.key_loading import key_loader
from kiosk.domain.entries import StoredEntry
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceFault, HostAnswer
from kiosk.settings.config import Settings
from kiosk.settings.key_rules import TypedKey
from provisioning.rules.keys import KIND, KeyBlock
from provisioning.rules.poll import PollAnswer
from provisioning.terminal.key_blocks import KeyBlocks, PadSilent
from tests.agent.stand import CITY, NOW, STRANGER, TERMINAL
from tests.pad_stand import pad_on_wire, wrapped

KEY = bytes.fromhex("3D66234C49E4296FF9C78D8BACBD6A76")
CHECK_VALUE = des.generate_kcv(KEY, 4).hex().upper()
BLOCK = KeyBlock(
    block_id="b1",
    terminal_id=TERMINAL,
    domain="social",
    form="master",
    slot=2,
    block=wrapped(KEY).hex().upper(),
    check_value=CHECK_VALUE[:6],
)


TYPED = {"master": TypedKey(domain="social", custodians=("1001", "1002"))}


def entry(act: str, doubtful: str) -> StoredEntry:
    return StoredEntry(1, NOW.isoformat(), act, "", {"key": "master", "doubtful": doubtful}, ())


class Slots:
    """As much of a supervisor as is asked: one pad, or none."""

    def __init__(self, pad: Any) -> None:
        self.pad = pad

    def device(self, slot: str) -> Any:
        if self.pad is None:
            raise DeviceFault("pin_pad", Health(Condition.ABSENT, "line_lost"))
        return self.pad


@dataclass
class Book:
    """Keeps what the kiosk would journal."""

    acts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    newest: StoredEntry | None = None

    def last(self, *acts: str) -> StoredEntry | None:
        return self.newest if self.newest and self.newest.act in acts else None

    def record(self, act: str, case_code: str = "", /, **facts: str | int) -> int:
        self.acts.append((act, facts))
        return len(self.acts)


async def loaded(pad: Any, block: KeyBlock, book: Book | None = None) -> dict[str, Any]:
    settings = Settings(run_dir="run", data_dir="data", typed_keys=TYPED)
    load = key_loader(Slots(pad), book or Book(), settings)  # type: ignore[arg-type]  # all that it asks of either
    return await load(msgspec.json.encode(block).decode())


async def test_the_pad_unwraps_it_and_its_check_value_is_told() -> None:
    """The value is the one that another program computes from the clear key; the act is journaled without any key."""
    book = Book()
    async with pad_on_wire() as stand:
        told = await loaded(stand.driver, BLOCK, book)
    assert told["result"] == "done"
    assert told["check_value"].startswith(CHECK_VALUE[:6])
    (asked, (act, facts)) = book.acts
    assert asked == ("key_load_asked", {"key": "b1", "doubtful": "0/2"}), "before the pad is asked"
    assert (act, facts["doubtful"]) == ("key_load_answered", "")
    assert KEY.hex().upper() not in json.dumps(facts) and BLOCK.block not in json.dumps(facts)


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"check_value": "000000"}, "differs"),
        ({"form": "tr31"}, "refused"),
        ({"pad": "another serial"}, "refused"),
        ({"master": 9}, "failed"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_reason(change: dict[str, Any], result: str) -> None:
    """Another value than expected, a wrapping that this pad does not open, another pad, a master that it lacks."""
    async with pad_on_wire() as stand:
        told = await loaded(stand.driver, msgspec.structs.replace(BLOCK, **change))
    assert told["result"] == result


async def test_nothing_is_loaded_under_a_master_key_in_doubt() -> None:
    """Until two custodians confirmed what they typed, a block under it is refused; then it is loaded."""
    book = Book(newest=entry("key_typed", "master"))
    async with pad_on_wire() as stand:
        told = await loaded(stand.driver, BLOCK, book)
        assert told == {
            "result": "refused", "check_value": "", "why": "two custodians have not confirmed its master key"
        }  # fmt: skip
        book.newest = entry("key_confirmed", "")
        assert (await loaded(stand.driver, BLOCK, book))["result"] == "done"


@pytest.mark.parametrize(
    ("change", "doubtful"),
    [({"check_value": "000000"}, "0/2"), ({"pad": "another serial"}, ""), ({"master": 9}, "")],
    ids=["another value", "another pad", "a master that it lacks"],
)
async def test_only_what_the_pad_may_have_taken_is_in_doubt(change: dict[str, Any], doubtful: str) -> None:
    """Where pad or terminal said no, the key that was there is as good as before."""
    book = Book()
    async with pad_on_wire() as stand:
        await loaded(stand.driver, msgspec.structs.replace(BLOCK, **change), book)
    assert book.acts[-1][0] == "key_load_answered"
    assert book.acts[-1][1]["doubtful"] == doubtful


async def test_without_a_pad_it_fails_and_says_so() -> None:
    """Nothing was loaded."""
    assert (await loaded(None, BLOCK))["result"] == "failed"


@dataclass
class Fleet:
    """The fleet's side of key blocks."""

    wire: bytes
    told: list[dict[str, Any]] = field(default_factory=list)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        return self.wire

    async def call(self, method: str, path: str, *, body: Any = None, **other: Any) -> HostAnswer:
        self.told.append(body)
        return HostAnswer(204, None)


def signed(signer: Any = CITY, **change: Any) -> bytes:
    facts = msgspec.to_builtins(msgspec.structs.replace(BLOCK, **change))
    return bytes(signer.signed(KIND, 1, NOW, NOW + timedelta(days=30), facts))


def agent(fleet: Fleet, pad: Any, now: Any = NOW) -> KeyBlocks:
    async def load(block: KeyBlock) -> dict[str, Any]:
        return await loaded(pad, block)

    keys = {CITY.name: CITY.key.public_key()}
    return KeyBlocks(fleet, "/x", TERMINAL, keys, load, lambda: now, lambda event, **fields: None)  # type: ignore[arg-type]


ASKED = PollAnswer(time="", sleep_s=1.0, key_blocks=["b1"])


async def test_the_agent_carries_it_and_its_answer() -> None:
    """From the poll to the pad and back."""
    fleet = Fleet(signed())
    async with pad_on_wire() as stand:
        await agent(fleet, stand.driver).take(ASKED)
    assert [one["result"] for one in fleet.told] == ["done"]


@pytest.mark.parametrize(
    "wire",
    [signed(STRANGER), signed(terminal_id="T0000009"), signed(block_id="b2"), signed()[:-20], b"{}"],
    ids=["another hand", "another terminal", "another block", "cut short", "nothing"],
)
async def test_a_block_that_is_not_for_us_is_refused(wire: bytes) -> None:
    """The pad never sees it; the fleet hears why."""
    fleet = Fleet(wire)
    async with pad_on_wire() as stand:
        heard = len(stand.pad.commands)
        await agent(fleet, stand.driver).take(ASKED)
        assert 0x33 not in list(stand.pad.commands)[heard:]
    assert [one["result"] for one in fleet.told] == ["refused"]


async def test_an_expired_block_is_refused() -> None:
    """A terminal that was dark for two months loads nothing old."""
    fleet = Fleet(signed())
    await agent(fleet, None, NOW + timedelta(days=60)).take(ASKED)
    assert "expired" in fleet.told[0]["why"]


async def test_a_silent_kiosk_leaves_it_waiting() -> None:
    """Nothing is answered, so the fleet tells it again."""

    async def silent(block: KeyBlock) -> dict[str, Any]:
        raise PadSilent("the kiosk does not answer")

    fleet = Fleet(signed())
    asked = agent(fleet, None)
    await KeyBlocks(asked.link, asked.base, TERMINAL, asked.keys, silent, asked.now, asked.log).take(ASKED)
    assert fleet.told == []
