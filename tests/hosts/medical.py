"""The platform in memory: real client, real sandbox, no wire; its weather and its habits can be set."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from kiosk.domain.card import CardIdentity, Holder, Sex
from kiosk.domain.money import Fen
from kiosk.domain.settlement import BillLine, InsuredPerson, MedicalBill, Treatment
from kiosk.hosts.medical_insurance.client import MedicalInsuranceClient
from kiosk.hosts.medical_insurance.message_id import MessageIds
from kiosk.hosts.medical_insurance.signer import FrontEndSigner, Signer
from kiosk.ports import HostAnswer, HostRefused, OutcomeUnknown
from kiosk.settings.medical_rules import MedicalInsuranceRules
from simulators.cards.chip import build_atr, build_identification_code
from simulators.hosts.medical_insurance import MedicalInsuranceSandbox, batch_of, visit_of
from simulators.hosts.medical_insurance_split import classes_of
from simulators.hosts.sandbox import SILENCE, Ask, Sandbox
from simulators.hosts.weather import Weather
from simulators.worlds.world import BillEntry, World, load_world
from tests.hosts.conftest import WORLDS

DEMO = load_world(WORLDS / "demo.toml")
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


class MemoryLink:
    """Implements ``ports.HostLink`` over a sandbox in the same process.

    ``deaf`` loses answers, ``mute`` questions; ``lost`` names messages of the national interface whose answer is lost;
    ``before`` holds what happens just before a path is asked, once.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.deaf = False
        self.mute = False
        self.lost: set[str] = set()
        self.before: dict[str, Callable[[], None]] = {}
        self.asked: list[str] = []  # paths
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str = "",
        deadline_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HostAnswer:
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if self.mute:
            raise OutcomeUnknown(self.sandbox.name, "the question was lost")
        self.sent.append(sent)
        self.asked.append(path)
        if path in self.before:
            self.before.pop(path)()
        reply = self.sandbox.answer(Ask(method, path, sent, key, headers=dict(headers or {})))
        self.received.append(reply.body)
        lost = any(f'"infno":"{number}"'.encode() in sent for number in self.lost)
        if self.deaf or lost or reply is SILENCE or reply.status >= 500:
            raise OutcomeUnknown(self.sandbox.name, "no answer")
        told = json.loads(reply.body, parse_float=Decimal)
        if reply.status >= 400:
            raise HostRefused(self.sandbox.name, told["code"], told["title"])
        return HostAnswer(reply.status, told)

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        reply = self.sandbox.answer(Ask("GET", path))
        if reply.status != 200 or len(reply.body) > bytes_max:
            raise OutcomeUnknown(self.sandbox.name, f"status {reply.status}")
        return reply.body


@dataclass
class Clinic:
    """A terminal of the demo world's hospital and the platform it talks to."""

    folder: Path
    world: World = DEMO
    rules: MedicalInsuranceRules = field(default_factory=MedicalInsuranceRules)
    signer: Signer = field(default_factory=FrontEndSigner)

    def __post_init__(self) -> None:
        self.platform = MedicalInsuranceSandbox(self.world, self.folder, Weather(), lambda: NOON)
        self.link = MemoryLink(self.platform)
        ids = MessageIds(self.folder / "message-ids", self.world.hospital.code, 100, 199, lambda: NOON)
        self.client = MedicalInsuranceClient(self.link, self.rules, "T0000001", ids, self.signer, lambda: NOON)

    def card(self, handle: str) -> tuple[CardIdentity, Holder]:
        return card_of(self.world, handle)

    async def person(self, handle: str) -> InsuredPerson:
        return await self.client.person(*self.card(handle))

    def bill(self, handle: str, number: int = 0) -> MedicalBill:
        """As the hospital would show it."""
        resident = self.world.resident(self.world.card(handle).resident)
        return bill_of(resident.bills[number])


def card_of(world: World, handle: str) -> tuple[CardIdentity, Holder]:
    card = world.card(handle)
    resident = world.resident(card.resident)
    code = build_identification_code(card, world.city, world.keys)
    identity = CardIdentity(code, card.number, card.spec, None, None, build_atr(card, code))
    return identity, Holder(resident.name, resident.number, Sex(resident.sex), resident.nation, None)


def bill_of(entry: BillEntry) -> MedicalBill:
    classes = classes_of(entry)
    return MedicalBill(
        entry.id,
        entry.department,
        NOON.date(),
        Fen(entry.total_fen),
        tuple(BillLine(line.name, line.quantity, Fen(line.amount_fen)) for line in entry.lines),
        visit_of(entry),
        batch_of(entry),
        entry.medical_kind,
        Fen(classes.own_expense),
        Fen(classes.over_limit),
        Fen(classes.first_self_pay),
        Fen(classes.in_scope),
    )


def treatment_of(person: InsuredPerson, bill: MedicalBill) -> Treatment:
    return Treatment(person.person_number, person.insured_place, bill.visit_number)
