"""Sandbox of the national medical insurance platform. ``docs/hosts/medical_insurance.yaml``. TEST keys only."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from simulators.cards.chip import build_identification_code, build_number
from simulators.hosts.medical_insurance_books import SCHEMA, Books, Row
from simulators.hosts.medical_insurance_messages import (
    Due,
    DueWithClasses,
    FindAsked,
    Message,
    PersonAsked,
    ReverseAsked,
    SignIn,
    SignOut,
    VoidAsked,
    fen,
    person_node,
    settled_node,
    void_node,
    yuan,
)
from simulators.hosts.medical_insurance_signing import WronglySigned, sealed, unsealed
from simulators.hosts.medical_insurance_split import (
    EMPLOYEES,
    RESIDENTS,
    SCHEMES,
    Classes,
    Parts,
    Scheme,
    Year,
    classes_of,
    split,
)
from simulators.hosts.sandbox import SILENCE, Ask, Refusal, Reply, Route, Sandbox
from simulators.hosts.sandbox import route as to
from simulators.hosts.weather import Weather
from simulators.worlds.world import BillEntry, Resident, World

T = TypeVar("T")
CHINA = timezone(timedelta(hours=8))
STATES = {"in_force": "1", "paused": "2", "ended": "4", "receiving": "1", "not_insured": "0"}  # psn_insu_stas
DIFFERENCE_FEN = 100
SIGN_ON_MISSING = "-2"  # INVENTED: the code by which this platform asks to sign on
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass
class PlatformBehaviour:
    """How platforms differ, and how they fail. ``on_repeat`` of a msgid: dedupe | book_twice | refuse."""

    on_repeat: str = "dedupe"
    overtaken: bool = False  # a 2207 is silent and books only after its 2601 was answered (also as weather)
    wrongly_signed: bool = False  # answers of the sealed family
    breaks_identity: bool = False  # the fund's total is a yuan more than its parts
    settles_differently: bool = False  # 2207 leaves a yuan more to the person than 2206 said


class No(Exception):
    """An answer whose infcode is not 0."""

    def __init__(self, words: str, infcode: str = "-1") -> None:
        super().__init__(words)
        self.answer = {"infcode": int(infcode), "err_msg": words, "output": None}


class MedicalInsuranceSandbox(Sandbox):
    name = "medical_insurance"
    schema = SCHEMA
    read_beside = True

    def __init__(
        self, world: World, directory: Path, weather: Weather, clock: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(world, directory, weather, clock)
        self.platform = Books(self.books)
        self.behaviour = PlatformBehaviour()
        self._acts: dict[str, Callable[[Message], dict[str, Any]]] = {
            "2207": self._settle,
            "2208": self._void,
            "2601": self._reverse,
        }
        self._questions: dict[str, Callable[[Message], dict[str, Any]]] = {
            "9001": self._sign_on,
            "9002": self._sign_off,
            "1101": self._person,
            "2206": self._quote,
            "5203": self._find,
        }

    def routes(self) -> list[Route]:
        return [to("POST", "/fsi/api", self._message)]

    def balance_of(self, handle: str) -> int:
        """What a resident's personal account holds now, in fen."""
        resident = self.world.resident(handle)
        return self._year(resident).balance

    # --- envelope -------------------------------------------------------------------------------------------------

    def _message(self, ask: Ask) -> Reply:
        try:
            carried = unsealed(ask.body, ask.headers)
        except WronglySigned:
            return self._told({"infcode": -1, "err_msg": "签名验证失败"}, sealed_in="")
        try:
            message = msgspec.convert(json.loads(carried.message, parse_float=Decimal), Message)
        except (msgspec.ValidationError, ValueError, RecursionError):
            raise Refusal(400, "bad_request", "报文格式不正确") from None
        answer = self._answered(message)
        return SILENCE if answer is None else self._told(answer, sealed_in=carried.sealed)

    def _told(self, answer: dict[str, Any], *, sealed_in: str) -> Reply:
        now = self.clock().astimezone(CHINA)
        moment = now.strftime("%Y%m%d%H%M%S%f")[:17]
        count = self.books.execute("SELECT count(*) FROM messages").fetchone()[0]
        whole = {
            "infcode": 0,
            "inf_refmsgid": f"{self.world.city}{moment[:14]}{count % 10**10:010d}",
            "refmsg_time": moment,
            "respond_time": moment,
            "err_msg": "",
            **answer,
        }
        body = _encoder.encode(whole)
        if sealed_in:
            body = sealed(body, int(now.timestamp()), sealed_in, wrongly=self.behaviour.wrongly_signed)
        return Reply(200, body)

    def _answered(self, message: Message) -> dict[str, Any] | None:
        """The answer's infcode and output; None is silence."""
        try:
            self._admit(message)
            if message.infno in self._questions:
                return {"output": self._questions[message.infno](message)}
            if message.infno not in self._acts:
                raise No("交易编号不正确")
            return self._once(message)
        except No as no:
            return no.answer

    def _admit(self, message: Message) -> None:
        if not message.msgid.startswith(self.world.hospital.code) or message.fixmedins_code != self.world.hospital.code:
            raise No("定点医药机构编号不正确")
        if message.infno != "9001" and not self.platform.signed_on(message.sign_no):
            raise No("未签到", SIGN_ON_MISSING)

    def _once(self, message: Message) -> dict[str, Any] | None:
        """An act, by the platform's own habit with repeated message ids. All of it is one commit."""
        known = self.platform.answer_to(message.msgid)
        if known is not None and self.behaviour.on_repeat == "dedupe":
            again: dict[str, Any] = json.loads(known, parse_float=Decimal)
            return again
        if known is not None and self.behaviour.on_repeat == "refuse":
            raise No("报文ID重复")
        if message.infno == "2207" and self._overtaken:
            self.platform.put_off(message.msgid, _encoder.encode(message).decode())
            return None
        answer = self._booked(message)
        return None if self.weather.platform_silent else answer

    @property
    def _overtaken(self) -> bool:
        return self.behaviour.overtaken or self.weather.reversal_overtakes

    def _booked(self, message: Message) -> dict[str, Any]:
        self.books.execute("BEGIN IMMEDIATE")
        try:
            try:
                answer: dict[str, Any] = {"output": self._acts[message.infno](message)}
            except No as no:
                answer = no.answer
            self.platform.remember(message.msgid, message.infno, _encoder.encode(answer))
        finally:
            self.books.execute("COMMIT")
        if message.infno == "2601":
            self._let_late_one_book(str(message.input["data"].get("omsgid", "")))
        return answer

    def _let_late_one_book(self, msgid: str) -> None:
        late = self.platform.take_late(msgid)
        if late is not None:
            self._booked(msgspec.convert(json.loads(late, parse_float=Decimal), Message))

    # --- questions ------------------------------------------------------------------------------------------------

    def _sign_on(self, message: Message) -> dict[str, Any]:
        asked = _node(message, "signIn", SignIn)
        now = self.clock().astimezone(CHINA)
        number = self.platform.sign_on(asked.opter_no, now)
        return {"signinoutb": {"sign_time": now.strftime("%Y-%m-%d %H:%M:%S"), "sign_no": number}}

    def _sign_off(self, message: Message) -> dict[str, Any]:
        self.platform.sign_off(_node(message, "signOut", SignOut).sign_no)
        return {"signoutoutb": {"sign_time": self.clock().astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")}}

    def _person(self, message: Message) -> dict[str, Any]:
        resident = self._identified(_node(message, "data", PersonAsked))
        place = self._place(resident)
        medical = resident.insurances.get("medical")
        rows = []
        if medical is not None:
            rows.append(self._insurance_row(resident, self._scheme(resident).insutype, STATES[medical.state], place))
        if "maternity" in resident.insurances:
            # Also recorded: other insurances of the same person, and local kinds of five digits.
            rows.append(self._insurance_row(resident, "510", STATES[resident.insurances["maternity"].state], place))
        return person_node(resident, self.person_number(resident), rows)

    def _insurance_row(self, resident: Resident, insutype: str, state: str, place: str) -> dict[str, Any]:
        balance = self._year(resident).balance if insutype == EMPLOYEES else 0
        return {
            "balc": yuan(balance),
            "insutype": insutype,
            "psn_type": "1201" if resident.benefits else "1101",
            "psn_insu_stas": state,
            "psn_insu_date": None,
            "paus_insu_date": None,
            "cvlserv_flag": "0",
            "insuplc_admdvs": place,
            "emp_name": None,
        }

    def _quote(self, message: Message) -> dict[str, Any]:
        due = _node(message, "data", Due)
        _, scheme, parts = self._parts(message, due)
        return self._bent(settled_node(due, parts, scheme, self._now()))

    def _find(self, message: Message) -> dict[str, Any]:
        asked = _node(message, "data", FindAsked)
        rows = self.platform.of_visit(asked.psn_no, asked.mdtrt_id)
        live = {row.setl_id for row in self.platform.live(asked.psn_no, asked.mdtrt_id)}
        nodes = [(row, json.loads(row.answer, parse_float=Decimal)) for row in rows]
        for row, node in nodes:
            node["setlinfo"]["refd_setl_flag"] = "0" if row.setl_id in live else "1"
        if not nodes:
            return {"setlinfo": None, "setldetail": []}
        if len(nodes) == 1:
            return dict(nodes[0][1])
        return {"setlinfo": [node["setlinfo"] for _, node in nodes], "setldetail": []}

    # --- acts -----------------------------------------------------------------------------------------------------

    def _settle(self, message: Message) -> dict[str, Any]:
        due = _node(message, "data", DueWithClasses)
        _, scheme, parts = self._parts(message, due)
        self._must_repeat(due, parts.classes)
        if self.platform.ended_early(message.msgid) and not self._overtaken:
            raise No("交易已冲正")
        if self.platform.live(due.psn_no, due.mdtrt_id) and self.behaviour.on_repeat != "book_twice":
            raise No("该就诊已结算")
        if self.behaviour.settles_differently:
            less = min(parts.fund, DIFFERENCE_FEN)
            parts = replace(parts, fund=parts.fund - less, cash=parts.cash + less)
        number = self.platform.next_settlement_number()
        node = self._bent(settled_node(due, parts, scheme, self._now(), number, message.msgid))
        row = Row(
            number, message.msgid, "2207", due.psn_no, due.mdtrt_id, due.chrg_bchno, "", self._now().isoformat(),
            parts.classes.total, parts.fund, parts.account, parts.cash, _encoder.encode(node).decode(),
        )  # fmt: skip
        self.platform.book(row, parts.deductible)
        return node

    def _void(self, message: Message) -> dict[str, Any]:
        asked = _node(message, "data", VoidAsked)
        standing = [row for row in self.platform.live(asked.psn_no, asked.mdtrt_id) if row.setl_id == asked.setl_id]
        if not standing:
            raise No("未查到可撤销的结算")
        row = standing[0]
        number = self.platform.next_settlement_number()
        balance = self._year(self._resident_of(asked.psn_no)).balance + row.account
        node = void_node(json.loads(row.answer, parse_float=Decimal), number, message.msgid, balance)
        undone = Row(
            number, message.msgid, "2208", row.psn_no, row.mdtrt_id, row.chrg_bchno, row.setl_id,
            self._now().isoformat(), -row.total, -row.fund, -row.account, -row.cash, _encoder.encode(node).decode(),
        )  # fmt: skip
        self.platform.book(undone, -self.platform.deductible_of(row.setl_id))
        return node

    def _reverse(self, message: Message) -> dict[str, Any]:
        """Done too when there was nothing: then the original, should it still come, is refused."""
        asked = _node(message, "data", ReverseAsked)
        if not self.platform.take_away(asked.psn_no, asked.omsgid, asked.oinfno):
            self.platform.end_early(asked.omsgid)
        return {}

    # --- who and how much -----------------------------------------------------------------------------------------

    def person_number(self, resident: Resident) -> str:
        """psn_no: made of the handle, so that it is the same in every run."""
        digits = int.from_bytes(hashlib.sha256(resident.handle.encode()).digest()[:8], "big") % 10**16
        return f"{self.world.city}{digits:016d}"

    def _identified(self, asked: PersonAsked) -> Resident:
        if asked.mdtrt_cert_type == "03":
            card = next((one for one in self.world.cards if build_number(one) == asked.mdtrt_cert_no), None)
            code = build_identification_code(card, self.world.city, self.world.keys) if card else b""
            if card is None or code.hex().upper() != asked.card_sn:
                raise No("卡信息不正确")
            resident = self.world.resident(card.resident)
        else:
            # 01: an ecToken of this sandbox is "EC" and the number (INVENTED); 02: the number itself.
            number = asked.mdtrt_cert_no.removeprefix("EC") if asked.mdtrt_cert_type == "01" else asked.mdtrt_cert_no
            found = [one for one in self.world.residents if one.number and one.number == number]
            if not found:
                raise No("未查到参保人")
            resident = found[0]
        if asked.certno not in ("", resident.number):
            raise No("证件号码与参保登记不一致")
        return resident

    def _parts(self, message: Message, due: Due) -> tuple[Resident, Scheme, Parts]:
        resident = self._resident_of(due.psn_no)
        if message.insuplc_admdvs != self._place(resident):
            raise No("参保地不正确")
        medical = resident.insurances.get("medical")
        scheme = self._scheme(resident)
        if medical is None or medical.state != "in_force" or due.insutype != scheme.insutype:
            raise No("参保状态异常，不能结算")
        bill = self._bill(resident, due)
        classes = classes_of(bill)
        if fen(due.medfee_sumamt) != classes.total:
            raise No("费用总额与上传明细不一致")
        parts = split(
            scheme,
            classes,
            self._year(resident),
            self.world.hospital.level,
            elsewhere=self._place(resident) != self.world.city,
            use_account=due.acct_used_flag == "1",
        )
        return resident, scheme, parts

    def _must_repeat(self, due: DueWithClasses, classes: Classes) -> None:
        told = [due.fulamt_ownpay_amt, due.overlmt_selfpay, due.preselfpay_amt, due.inscp_scp_amt]
        known = [classes.own_expense, classes.over_limit, classes.first_self_pay, classes.in_scope]
        if [fen(amount) for amount in told] != known:
            raise No("费用分类金额与上传明细不一致")

    def _bill(self, resident: Resident, due: Due) -> BillEntry:
        for bill in resident.bills:
            if (visit_of(bill), batch_of(bill)) == (due.mdtrt_id, due.chrg_bchno):
                return bill
        raise No("未查到就诊信息")

    def _resident_of(self, psn_no: str) -> Resident:
        for resident in self.world.residents:
            if self.person_number(resident) == psn_no:
                return resident
        raise No("未查到参保人")

    def _scheme(self, resident: Resident) -> Scheme:
        worked = "unemployment" in resident.insurances
        return SCHEMES[resident.medical_scheme or (EMPLOYEES if worked else RESIDENTS)]

    def _place(self, resident: Resident) -> str:
        return resident.insured_place or self.world.city

    def _year(self, resident: Resident) -> Year:
        deductible, fund, account = self.platform.used(self.person_number(resident), self._now().year)
        return Year(deductible, fund, resident.medical_fen - account)

    def _now(self) -> datetime:
        return self.clock().astimezone(CHINA)

    def _bent(self, node: dict[str, Any]) -> dict[str, Any]:
        if self.behaviour.breaks_identity:
            node["setlinfo"]["fund_pay_sumamt"] += 1
        return node


def visit_of(bill: BillEntry) -> str:
    """mdtrt_id of the visit that a bill is for."""
    return f"MT{bill.id}"


def batch_of(bill: BillEntry) -> str:
    """chrg_bchno under which the hospital uploaded the bill's lines."""
    return f"CB{bill.id}"


def _node(message: Message, name: str, shape: type[T]) -> T:
    try:
        return msgspec.convert(message.input[name], shape)
    except (KeyError, msgspec.ValidationError):
        raise No("入参不正确") from None
