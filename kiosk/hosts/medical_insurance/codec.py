"""The messages that a terminal needs: 9001, 9002, 1101, 2206, 2207, 2208, 2601, 5203. Input and output nodes. No IO.

Names, lengths and what is required: adapters published by hospitals, which agree with each other; the national
specification itself is not public.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from kiosk.domain.card import CardIdentity, Holder
from kiosk.domain.money import NOTHING, Fen, fen_from_yuan
from kiosk.domain.settlement import InsuredPerson, MedicalBill, Settlement, Split, Treatment
from kiosk.hosts.medical_insurance.amounts import Amounts, FundRow, balance_disagrees, disagreements
from kiosk.hosts.medical_insurance.envelope import yuan_number
from kiosk.hosts.shape import BadShape, Part, read

IN_FORCE = "1"  # psn_insu_stas; everything else is explained, never guessed
BY_ITEM = "01"  # psn_setlway
CITIZEN_DIGITS = 18

_Word = Annotated[str, msgspec.Meta(max_length=300)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class _Money(Part):
    medfee_sumamt: Decimal
    fulamt_ownpay_amt: Decimal | None = None
    overlmt_selfpay: Decimal | None = None
    preselfpay_amt: Decimal | None = None
    inscp_scp_amt: Decimal | None = None
    hifp_pay: Decimal | None = None
    cvlserv_pay: Decimal | None = None
    hifes_pay: Decimal | None = None
    hifmi_pay: Decimal | None = None
    hifob_pay: Decimal | None = None
    hifdm_pay: Decimal | None = None
    maf_pay: Decimal | None = None
    oth_pay: Decimal | None = None
    fund_pay_sumamt: Decimal | None = None
    psn_part_amt: Decimal | None = None
    acct_pay: Decimal | None = None
    psn_cash_pay: Decimal | None = None
    hosp_part_amt: Decimal | None = None
    acct_mulaid_pay: Decimal | None = None
    balc: Decimal | None = None


class _SetlInfo(_Money, kw_only=True):
    mdtrt_id: _Id
    psn_no: _Id
    setl_id: _Word | None = None
    medins_setl_id: _Word | None = None
    refd_setl_flag: int | _Word | None = None


class _FundRow(Part):
    fund_pay_type: _Word
    fund_payamt: Decimal | None = None


class _Settled(Part):
    setlinfo: _SetlInfo
    setldetail: Annotated[list[_FundRow], msgspec.Meta(max_length=200)] | None = None


class _SignIn(Part):
    sign_no: _Id


class _SignedIn(Part):
    signinoutb: _SignIn


class _BaseInfo(Part):
    psn_no: _Id


class _InsuInfo(Part):
    insutype: int | _Word
    psn_insu_stas: int | _Word | None = None
    balc: Decimal | None = None
    insuplc_admdvs: int | _Word | None = None


class _Person(Part):
    baseinfo: _BaseInfo
    insuinfo: Annotated[list[_InsuInfo], msgspec.Meta(max_length=100)]


@dataclass(frozen=True)
class Credential:
    """What identifies a person at 1101. ``kind`` is mdtrt_cert_type: 01 electronic credential (its ecToken), 02 citizen
    ID number, 03 social security card (its number, with the identification code as ``card_code``)."""

    kind: str
    number: str
    card_code: str = ""


class NoFittingInsurance(Exception):
    """The person has none of the insurances that may settle here."""


def sign_on(operator: str, mac_address: str, ip_address: str) -> dict[str, Any]:
    """Input of 9001."""
    return {"signIn": {"opter_no": operator, "mac": mac_address, "ip": ip_address}}


def sign_number(output: Any) -> str:
    """Output of 9001. Raises BadShape."""
    return read(output, _SignedIn).signinoutb.sign_no


def sign_off(sign_no: str, operator: str) -> dict[str, Any]:
    """Input of 9002."""
    return {"signOut": {"sign_no": sign_no, "opter_no": operator}}


def card_credential(card: CardIdentity) -> Credential:
    """The card in the slot."""
    return Credential("03", card.card_number, card.identification_code.hex().upper())


def person_question(credential: Credential, holder: Holder, at: str) -> dict[str, Any]:
    """Input of 1101. ``at``: local time as ``yyyy-MM-dd HH:mm:ss``."""
    number = holder.social_security_number
    return {
        "data": {
            "mdtrt_cert_type": credential.kind,
            "mdtrt_cert_no": credential.number,
            "card_sn": credential.card_code,
            "begntime": at,
            "psn_cert_type": "01" if len(number) == CITIZEN_DIGITS else "99",
            "certno": number,
            "psn_name": holder.name,
        }
    }


def insured_person(output: Any, credential: Credential, kinds: Sequence[str]) -> InsuredPerson:
    """Output of 1101: the first insurance of ``kinds`` that is in force, else the first that exists at all.

    A person has several rows, also of local kinds.

    Raises:
        NoFittingInsurance. BadShape: also when the chosen row lacks the place that every later message must name.
    """
    told = read(output, _Person)
    rows = [row for kind in kinds for row in told.insuinfo if str(row.insutype) == kind]
    if not rows:
        raise NoFittingInsurance
    row = next((row for row in rows if _in_force(row)), rows[0])
    if not row.insuplc_admdvs:
        raise BadShape("no insured place")
    return InsuredPerson(
        person_number=told.baseinfo.psn_no,
        insured_place=str(row.insuplc_admdvs),
        insurance_code=str(row.insutype),
        in_force=_in_force(row),
        balance_fen=_fen(row.balc) if row.balc is not None else NOTHING,
        credential_kind=credential.kind,
        credential_number=credential.number,
    )


def quote_question(person: InsuredPerson, bill: MedicalBill, use_account: bool) -> dict[str, Any]:
    """Input of 2206."""
    return {"data": _what_is_due(person, bill, use_account)}


def settle_question(person: InsuredPerson, bill: MedicalBill, use_account: bool) -> dict[str, Any]:
    """Input of 2207: 2206's, and the parts that the platform itself gave the hospital when the lines went up."""
    return {
        "data": {
            **_what_is_due(person, bill, use_account),
            "fulamt_ownpay_amt": yuan_number(bill.own_expense_fen),
            "overlmt_selfpay": yuan_number(bill.over_limit_fen),
            "preselfpay_amt": yuan_number(bill.first_self_pay_fen),
            "inscp_scp_amt": yuan_number(bill.in_scope_fen),
        }
    }


def split(output: Any, bill: MedicalBill, tolerance_fen_per_line: int) -> Split:
    """Output of 2206 and 2207: who pays what, with the names of the identities that it breaks.

    Raises:
        BadShape: also when it is about another treatment.
    """
    told = read(output, _Settled)
    if told.setlinfo.mdtrt_id != bill.visit_number:
        raise BadShape("another treatment")
    return _split(told, tolerance_fen_per_line * max(1, len(bill.lines)), bill.total_fen)


def settlement(
    output: Any, bill: MedicalBill, message_id: str, tolerance_fen_per_line: int, balance_before: Fen
) -> Settlement:
    """Output of 2207. ``balance_before`` is the one of 1101.

    Raises:
        BadShape: also when it answers another message.
    """
    made = split(output, bill, tolerance_fen_per_line)
    told = read(output, _Settled)
    info = told.setlinfo
    if info.medins_setl_id != message_id or not info.setl_id:
        raise BadShape("another settlement")
    if balance_disagrees(balance_before, _amounts(told)[0], tolerance_fen_per_line):
        made = replace(made, disagreements=(*made.disagreements, "balance_follows_account"))
    return Settlement(info.setl_id, message_id, bill.visit_number, made)


def find_question(treatment: Treatment) -> dict[str, Any]:
    """Input of 5203."""
    return {"data": {"psn_no": treatment.person_number, "mdtrt_id": treatment.visit_number}}


def found(output: Any, treatment: Treatment, message_id: str, tolerance_fen_per_line: int) -> Settlement | None:
    """Output of 5203: the settlement that our message made, unless it was undone. None proves nothing.

    Platforms give one setlinfo or a list of them.

    Raises:
        BadShape: see ``shape.read``; one row that cannot be read makes the whole answer unreadable.
    """
    told = output.get("setlinfo")
    if not told:
        return None
    alone = not isinstance(told, list)
    for row in [told] if alone else told:
        # With several settlements the fund rows cannot be told apart: they are left unjudged.
        shaped = read({"setlinfo": row, "setldetail": output.get("setldetail") if alone else None}, _Settled)
        info = shaped.setlinfo
        ours = info.medins_setl_id == message_id and info.mdtrt_id == treatment.visit_number
        if ours and str(info.refd_setl_flag or "0") != "1" and info.setl_id:
            made = _split(shaped, tolerance_fen_per_line * max(1, len(shaped.setldetail or ())), None)
            return Settlement(info.setl_id, message_id, info.mdtrt_id, made)
    return None


def void_question(person: InsuredPerson, settled: Settlement) -> dict[str, Any]:
    """Input of 2208."""
    return {
        "data": {"setl_id": settled.settlement_id, "mdtrt_id": settled.visit_number, "psn_no": person.person_number}
    }


def check_void(output: Any, settled: Settlement) -> None:
    """Output of 2208: negative amounts, some of them null; its own setl_id may be the old or a new one.

    Raises:
        BadShape: it is not the undoing of this settlement.
    """
    info = read(output, _Settled).setlinfo
    if info.mdtrt_id != settled.visit_number or _fen(info.medfee_sumamt) != -settled.split.total_fen:
        raise BadShape("another void")


def reverse_question(treatment: Treatment, original_message_id: str, original_kind: str) -> dict[str, Any]:
    """Input of 2601; it has no output."""
    return {"data": {"psn_no": treatment.person_number, "omsgid": original_message_id, "oinfno": original_kind}}


def amounts_of(output: Any) -> tuple[Amounts, tuple[FundRow, ...]]:
    """Everything of setlinfo and setldetail that the identities are about. Raises BadShape."""
    return _amounts(read(output, _Settled))


def _what_is_due(person: InsuredPerson, bill: MedicalBill, use_account: bool) -> dict[str, Any]:
    return {
        "psn_no": person.person_number,
        "mdtrt_cert_type": person.credential_kind,
        "mdtrt_cert_no": person.credential_number,
        "med_type": bill.medical_kind,
        "medfee_sumamt": yuan_number(bill.total_fen),
        "psn_setlway": BY_ITEM,
        "mdtrt_id": bill.visit_number,
        "chrg_bchno": bill.batch_number,
        "acct_used_flag": "1" if use_account else "0",
        "insutype": person.insurance_code,
    }


def _in_force(row: _InsuInfo) -> bool:
    return str(row.psn_insu_stas) == IN_FORCE


def _split(told: _Settled, tolerance_fen: int, asked: Fen | None) -> Split:
    amounts, rows = _amounts(told)
    if amounts.fund is None or amounts.account is None or amounts.cash is None:
        raise BadShape("an amount is missing")
    if min(amounts.total, amounts.fund, amounts.account, amounts.cash) < 0:
        raise BadShape("a negative amount")
    broken = disagreements(amounts, rows, tolerance_fen)
    if asked is not None and amounts.total != asked:
        broken = (*broken, "total_is_the_bills")
    return Split(
        total_fen=amounts.total,
        fund_fen=amounts.fund,
        account_fen=amounts.account,
        cash_fen=amounts.cash,
        hospital_fen=amounts.hospital or NOTHING,
        shared_account_fen=_beside(amounts),
        balance_after_fen=amounts.balance_after,
        disagreements=broken,
    )


def _amounts(told: _Settled) -> tuple[Amounts, tuple[FundRow, ...]]:
    info = told.setlinfo
    classes = (info.fulamt_ownpay_amt, info.overlmt_selfpay, info.preselfpay_amt, info.inscp_scp_amt)
    funds = (
        info.hifp_pay, info.cvlserv_pay, info.hifes_pay, info.hifmi_pay,
        info.hifob_pay, info.hifdm_pay, info.maf_pay, info.oth_pay,
    )  # fmt: skip
    amounts = Amounts(
        total=_fen(info.medfee_sumamt),
        fund=_maybe(info.fund_pay_sumamt),
        account=_maybe(info.acct_pay),
        cash=_maybe(info.psn_cash_pay),
        person=_maybe(info.psn_part_amt),
        hospital=_maybe(info.hosp_part_amt),
        shared_account=_maybe(info.acct_mulaid_pay),
        balance_after=_maybe(info.balc),
        by_class=tuple(_maybe(one) for one in classes),
        by_fund=tuple(_maybe(one) for one in funds),
    )
    rows = tuple(
        FundRow(row.fund_pay_type, _fen(row.fund_payamt))
        for row in told.setldetail or ()
        if row.fund_payamt is not None
    )
    return amounts, rows


def _beside(amounts: Amounts) -> Fen:
    """Family money, where acct_pay does not contain it already."""
    contained = amounts.person == (amounts.account or NOTHING) + (amounts.cash or NOTHING)
    return NOTHING if contained else amounts.shared_account or NOTHING


def _maybe(amount: Decimal | None) -> Fen | None:
    return None if amount is None else _fen(amount)


def _fen(amount: Decimal) -> Fen:
    try:
        return fen_from_yuan(str(amount))
    except ValueError:
        raise BadShape("an amount that is no whole number of fen") from None
