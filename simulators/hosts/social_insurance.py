"""Sandbox of the agency's business system. ``docs/hosts/social_insurance.yaml``. INVENTED in form."""

import html
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from simulators.cards.chip import build_number
from simulators.hosts import contributions, debt_register, receipt_records
from simulators.hosts.certificates import Certificate, Issuer, open_archive
from simulators.hosts.contributions import ContributionBook, Received
from simulators.hosts.debt_register import DebtDesk
from simulators.hosts.hospital_questions import DetailAsked
from simulators.hosts.ledger import overview_of
from simulators.hosts.receipt_records import RecordDesk
from simulators.hosts.sandbox import Ask, Part, Refusal, Reply, Route, Sandbox, json_reply, question, required_key
from simulators.hosts.sandbox import route as to
from simulators.hosts.weather import Weather
from simulators.pki import Pki
from simulators.worlds.world import Resident, World

_CardNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{9}$")]
_IdentificationCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
_PersonNumber = Annotated[str, msgspec.Meta(max_length=18)]
_Months = Annotated[int, msgspec.Meta(ge=1, le=120)]


class _Who(Part):
    card_number: _CardNumber
    identification_code: _IdentificationCode
    social_security_number: _PersonNumber


class _OverviewAsked(_Who):
    months: _Months = 13


class _CertificateAsked(_Who):
    kind: Literal["insurance_certificate", "rights_record", "benefit_certificate"]


class _Contribution(Part):
    card_number: _CardNumber
    identification_code: _IdentificationCode
    kind: Literal["resident_pension", "resident_medical"]
    year: Annotated[int, msgspec.Meta(ge=2000, le=2200)]
    amount_fen: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    received_at: datetime
    terminal_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,40}$")]


class SocialInsuranceSandbox(Sandbox):
    """``verify_base`` is the address in the QR, ending before the certificate's number."""

    name = "social_insurance"
    schema = contributions.SCHEMA + debt_register.SCHEMA + receipt_records.SCHEMA

    def __init__(
        self,
        world: World,
        directory: Path,
        weather: Weather,
        clock: Callable[[], datetime] | None = None,
        *,
        pki: Pki,
        verify_base: str,
    ) -> None:
        super().__init__(world, directory, weather, clock)
        self.contributions = ContributionBook(self.books)
        self._debt_desk = DebtDesk(self.books, lambda: self.clock())
        self.debts = self._debt_desk.book
        self.records = RecordDesk(self.books)
        self._issuer = Issuer(open_archive(directory), world, pki, directory, verify_base)

    def routes(self) -> list[Route]:
        return [
            to("POST", "/v1/overview", self._overview),
            to("POST", "/v1/certificates", self._issue),
            to("GET", r"/v1/certificates/([A-Z0-9-]{4,40})/document", self._document),
            to("POST", "/v1/contributions/payable", self._payable),
            to("POST", "/v1/contributions", self._credit),
            to("POST", "/v1/contributions/detail", self._contributions_detail),
            *self._debt_desk.routes(),
            *self.records.routes(),
        ]

    def certificates(self) -> list[tuple[str, str, str]]:
        """Every certificate issued, oldest first: number, kind, SHA-256."""
        return self._issuer.issued()

    def close(self) -> None:
        self._issuer.close()
        super().close()

    def _overview(self, ask: Ask) -> Reply:
        asked = question(ask, _OverviewAsked)
        return json_reply(overview_of(self._resident(asked), asked.months))

    def _issue(self, ask: Ask) -> Reply:
        asked = question(ask, _CertificateAsked)
        key = required_key(ask)
        resident = self._resident(asked)
        if asked.kind == "benefit_certificate" and not resident.benefits:
            raise Refusal(409, "no_benefits", "没有待遇发放记录")
        fault = self.weather.certificate if self.weather.hits(self.name) else ""
        certificate = self._issuer.issue(key, resident, asked.kind, self.clock().date(), fault)
        return json_reply(_described(certificate), 201)

    def _document(self, _ask: Ask, number: str) -> Reply:
        pdf = self._issuer.document(number)
        if pdf is None:
            raise Refusal(404, "no_such_certificate", "未查到该证明")
        return Reply(200, pdf, "application/pdf")

    def _payable(self, ask: Ask) -> Reply:
        resident = self._resident(question(ask, _Who))
        return json_reply({"payable": self.contributions.payable(resident, self.clock().date())})

    def _credit(self, ask: Ask) -> Reply:
        told, key = question(ask, _Contribution), required_key(ask)
        received = Received(
            self._resident(_who(told)), told.kind, told.year, told.amount_fen, told.received_at, told.terminal_id
        )
        number, before = self.contributions.credit(key, received, self.clock().date())
        return json_reply({"number": number}, 200 if before else 201)

    def _contributions_detail(self, ask: Ask) -> Reply:
        asked = question(ask, DetailAsked)
        if asked.last_day >= self.clock().date() and not self.weather.day_is_over:
            raise Refusal(409, "not_reconciled_yet", "尚未对账")
        rows = self.contributions.of_terminal(asked.terminal_id, asked.first_day, asked.last_day)
        days = {"first_day": asked.first_day.isoformat(), "last_day": asked.last_day.isoformat()}
        return json_reply({**days, "rows": rows})

    def _resident(self, asked: _Who) -> Resident:
        card = next((card for card in self.world.cards if build_number(card) == asked.card_number), None)
        if card is None:
            raise Refusal(404, "no_such_person", "未查到参保信息")
        resident = self.world.resident(card.resident)
        # A chip may hold no number at all; one that holds another person's is a case for the counter.
        if asked.social_security_number not in ("", resident.number):
            raise Refusal(409, "holder_differs", "卡内信息与系统登记不一致,请到柜台办理")
        return resident


class CertificateCheckSandbox(Sandbox):
    """The public page where anyone verifies a certificate by number and check code; no client certificate."""

    name = "certificate_check"
    public = True

    def __init__(
        self, world: World, directory: Path, weather: Weather, clock: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(world, directory, weather, clock)
        self._archive = open_archive(directory)

    def routes(self) -> list[Route]:
        return [to("GET", r"/verify/([A-Z0-9-]{4,40})", self._verify)]

    def close(self) -> None:
        self._archive.close()
        super().close()

    def _verify(self, ask: Ask, number: str) -> Reply:
        """The content, so that whoever checks compares it with the paper: "valid" alone proves nothing."""
        row = self._archive.execute(
            "SELECT content, sha256 FROM certificates WHERE number = ? AND check_code = ?",
            (number, ask.query.get("code", "")),
        ).fetchone()
        if row is None:
            return Reply(404, _page("未查到该证明 No such certificate", []), "text/html; charset=utf-8")
        content = msgspec.json.decode(row[0], type=dict[str, str])
        return Reply(200, _page("证明内容 Certificate", [*content.items()]), "text/html; charset=utf-8")


def _described(certificate: Certificate) -> dict[str, Any]:
    return {
        "number": certificate.number,
        "kind": certificate.kind,
        "issued_on": certificate.issued_on,
        "valid_until": certificate.valid_until,
        "verify_at": certificate.verify_at,
        "sha256": certificate.sha256,
    }


def _page(title: str, rows: list[tuple[str, str]]) -> bytes:
    lines = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
    head = f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"{head}<h1>{html.escape(title)}</h1><table>{lines}</table></html>".encode()


def _who(told: _Contribution) -> _Who:
    return _Who(card_number=told.card_number, identification_code=told.identification_code, social_security_number="")
