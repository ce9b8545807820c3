"""Client of the national medical insurance interface. Nothing is ever repeated here: who asks again decides so."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import trio

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.settlement import InsuredPerson, MedicalBill, Settlement, Split, Treatment
from kiosk.hosts.answers import understood
from kiosk.hosts.medical_insurance import codec
from kiosk.hosts.medical_insurance.envelope import NotAccepted, Sender, message, output, wire
from kiosk.hosts.medical_insurance.message_id import CHINA, MessageIds
from kiosk.hosts.medical_insurance.signer import Signer
from kiosk.ports import HostLink, HostRefused, OutcomeUnknown
from kiosk.settings.medical_rules import MedicalInsuranceRules

HOST = "medical_insurance"
NOT_IN_FORCE = "insurance_not_in_force"
NO_INSURANCE = "no_fitting_insurance"


class AmountsDisagree(HostRefused):
    """A quote whose figures contradict each other. Nothing is booked; the bill is held and a person must look."""

    def __init__(self, identities: tuple[str, ...]) -> None:
        super().__init__(HOST, "amounts_disagree")
        self.identities = identities


class MedicalInsuranceClient:
    """Implements ``ports.money.MedicalInsurance``.

    A quote that breaks an identity raises ``AmountsDisagree``. A settlement that breaks one is booked and returned
    with ``split.disagreements``: what stands at the platform is the truth, and a case for a person (money-rules 12).
    """

    def __init__(
        self,
        link: HostLink,
        rules: MedicalInsuranceRules,
        terminal_id: str,
        message_ids: MessageIds,
        signer: Signer,
        now: Callable[[], datetime],
    ) -> None:
        self._link = link
        self._rules = rules
        self._message_ids = message_ids
        self._signer = signer
        self._now = now
        self._sender = Sender(
            rules.institution_code,
            rules.institution_name,
            rules.place,
            rules.receiving_system,
            rules.version,
            terminal_id,
        )
        self._sign_number = ""
        self._signed_on = ""  # the day of it
        self._signing_on = trio.Lock()

    def new_message_id(self) -> str:
        return self._message_ids.new()

    async def sign_on(self) -> None:
        """9001. Every other verb does it by itself, once a day."""
        content = codec.sign_on(self._sender.operator, self._rules.mac_address, self._rules.ip_address)
        answered = await self._exchange("9001", self.new_message_id(), content)
        self._sign_number = understood(HOST, lambda: codec.sign_number(answered))
        self._signed_on = self._today()

    async def sign_off(self) -> None:
        """9002, at the end of the day. Signed off or not, the number is not used again."""
        number, self._sign_number, self._signed_on = self._sign_number, "", ""
        if number:
            content = codec.sign_off(number, self._sender.operator)
            await self._exchange("9002", self.new_message_id(), content, sign_number=number)

    async def person(self, card: CardIdentity, holder: Holder) -> InsuredPerson:
        return await self.person_by(codec.card_credential(card), holder)

    async def person_by(self, credential: codec.Credential, holder: Holder) -> InsuredPerson:
        """1101 by any of the three credentials.

        ``in_force`` may be false: then neither ``quote`` nor ``settle`` goes out.

        Raises:
            HostRefused: refused by the platform, or ``no_fitting_insurance``. OutcomeUnknown: no answer.
        """
        content = codec.person_question(credential, holder, self._local_time())
        answered = await self._ask("1101", self.new_message_id(), content)
        try:
            return understood(HOST, lambda: codec.insured_person(answered, credential, self._rules.insurance_codes))
        except codec.NoFittingInsurance:
            raise HostRefused(HOST, NO_INSURANCE) from None

    async def quote(self, person: InsuredPerson, bill: MedicalBill, use_account: bool, message_id: str) -> Split:
        """Raises also AmountsDisagree (a ``HostRefused``)."""
        _must_be_in_force(person)
        content = codec.quote_question(person, bill, use_account)
        answered = await self._ask("2206", message_id, content, person.insured_place)
        split = understood(HOST, lambda: codec.split(answered, bill, self._rules.tolerance_fen_per_line))
        if split.disagreements:
            raise AmountsDisagree(split.disagreements)
        return split

    async def settle(self, person: InsuredPerson, bill: MedicalBill, use_account: bool, message_id: str) -> Settlement:
        _must_be_in_force(person)
        content = codec.settle_question(person, bill, use_account)
        answered = await self._ask("2207", message_id, content, person.insured_place)
        return understood(
            HOST,
            lambda: codec.settlement(
                answered, bill, message_id, self._rules.tolerance_fen_per_line, person.balance_fen
            ),
        )

    async def find(self, treatment: Treatment, message_id: str) -> Settlement | None:
        content = codec.find_question(treatment)
        answered = await self._ask("5203", self.new_message_id(), content, treatment.insured_place)
        return understood(
            HOST, lambda: codec.found(answered, treatment, message_id, self._rules.tolerance_fen_per_line)
        )

    async def void(self, person: InsuredPerson, settlement: Settlement, message_id: str) -> None:
        content = codec.void_question(person, settlement)
        answered = await self._ask("2208", message_id, content, person.insured_place)
        understood(HOST, lambda: codec.check_void(answered, settlement))

    async def reverse(
        self, treatment: Treatment, original_message_id: str, original_kind: str, message_id: str
    ) -> None:
        content = codec.reverse_question(treatment, original_message_id, original_kind)
        await self._ask("2601", message_id, content, treatment.insured_place)

    async def _ask(self, number: str, message_id: str, content: Mapping[str, Any], place: str = "") -> dict[str, Any]:
        """One message under today's sign-on number."""
        async with self._signing_on:
            if self._signed_on != self._today():
                await self._sign_on_first(number)
        return await self._exchange(number, message_id, content, place, self._sign_number)

    async def _sign_on_first(self, number: str) -> None:
        """A sign-on that fails means that the message surely was not sent, whatever became of the sign-on."""
        try:
            await self.sign_on()
        except OutcomeUnknown as silence:
            if number == "2207":
                raise HostRefused(HOST, "not_signed_on") from silence
            raise
        except HostRefused as refusal:
            if number in ("2208", "2601"):
                # The platform said no to us, not to the undoing, which stays to be done.
                raise OutcomeUnknown(HOST, "not signed on") from refusal
            raise

    async def _exchange(
        self, number: str, message_id: str, content: Mapping[str, Any], place: str = "", sign_number: str = ""
    ) -> dict[str, Any]:
        request = message(
            self._sender,
            number,
            message_id,
            self._local_time(),
            content,
            insured_place=place,
            sign_number=sign_number,
        )
        sealed = self._signer.seal(wire(request))
        answer = await self._link.call("POST", self._rules.path, body=sealed.body, headers=sealed.headers)
        try:
            return understood(HOST, lambda: output(self._signer.opened(answer.body)))
        except NotAccepted as no:
            self._judge(no)
            raise HostRefused(HOST, no.infcode, no.words) from None

    def _judge(self, no: NotAccepted) -> None:
        if no.infcode in self._rules.sign_on_codes:
            self._signed_on = ""  # the next message signs on; this one is not sent again by itself
        if no.infcode in self._rules.unknown_codes:
            raise OutcomeUnknown(HOST, f"infcode {no.infcode}") from None

    def _local_time(self) -> str:
        return self._now().astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")

    def _today(self) -> str:
        return self._local_time()[:10]


def _must_be_in_force(person: InsuredPerson) -> None:
    if not person.in_force:
        raise HostRefused(HOST, NOT_IN_FORCE)
