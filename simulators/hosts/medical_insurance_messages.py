"""Shapes of the platform's messages, and the nodes of its answers."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from simulators.hosts.medical_insurance_split import Parts, Scheme
from simulators.hosts.sandbox import Part
from simulators.worlds.world import Resident

_Amount = Decimal
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Required = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class Message(Part, kw_only=True):
    """The envelope (every field that the interface names, and no other)."""

    infno: _Required
    msgid: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{12}[0-9]{18}$")]
    mdtrtarea_admvs: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$")]
    insuplc_admdvs: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6})?$")]
    recer_sys_code: _Required
    dev_no: _Text = ""
    dev_safe_info: _Text = ""
    cainfo: _Text = ""
    signtype: _Text = ""
    infver: _Required
    opter_type: Annotated[str, msgspec.Meta(pattern=r"^[123]$")]
    opter: _Required
    opter_name: _Required
    inf_time: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")]
    fixmedins_code: _Required
    fixmedins_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sign_no: _Text = ""
    input: dict[str, Any]


class SignIn(Part):
    opter_no: _Required
    mac: _Text
    ip: _Text


class SignOut(Part):
    sign_no: _Required
    opter_no: _Required


class PersonAsked(Part, kw_only=True):
    mdtrt_cert_type: Annotated[str, msgspec.Meta(pattern=r"^0[123]$")]
    mdtrt_cert_no: _Required
    card_sn: _Text = ""
    begntime: _Text = ""
    psn_cert_type: _Required
    certno: _Text = ""
    psn_name: _Text = ""


class Due(Part):
    """2206."""

    psn_no: _Required
    mdtrt_cert_type: _Required
    mdtrt_cert_no: _Required
    med_type: _Required
    medfee_sumamt: _Amount
    psn_setlway: _Required
    mdtrt_id: _Required
    chrg_bchno: _Required
    acct_used_flag: Annotated[str, msgspec.Meta(pattern=r"^[01]$")]
    insutype: _Required


class DueWithClasses(Due):
    """2207."""

    fulamt_ownpay_amt: _Amount
    overlmt_selfpay: _Amount
    preselfpay_amt: _Amount
    inscp_scp_amt: _Amount


class VoidAsked(Part):
    setl_id: _Required
    mdtrt_id: _Required
    psn_no: _Required


class ReverseAsked(Part):
    psn_no: _Required
    omsgid: _Required
    oinfno: Annotated[str, msgspec.Meta(pattern=r"^(2207|2208)$")]


class FindAsked(Part):
    psn_no: _Required
    mdtrt_id: _Required


def person_node(resident: Resident, psn_no: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Output of 1101."""
    return {
        "baseinfo": {
            "psn_no": psn_no,
            "psn_cert_type": "01" if len(resident.number) == 18 else "99",
            "certno": resident.number,
            "psn_name": resident.name,
            "gend": resident.sex,
            "naty": resident.nation,
            "brdy": resident.born,
            "age": Decimal("0.0"),
            "exp_content": None,
        },
        "insuinfo": rows,
        "idetinfo": [],
    }


def settled_node(
    due: Due, parts: Parts, scheme: Scheme, at: datetime, setl_id: str = "", msgid: str = ""
) -> dict[str, Any]:
    """Output of 2206 (without ``setl_id`` and ``msgid``) and of 2207."""
    nothing = Decimal("0.0")
    info = {
        "mdtrt_id": due.mdtrt_id,
        "setl_id": setl_id or None,
        "psn_no": due.psn_no,
        "insutype": due.insutype,
        "setl_time": at.strftime("%Y-%m-%d %H:%M:%S"),
        "mdtrt_cert_type": due.mdtrt_cert_type,
        "med_type": due.med_type,
        "medfee_sumamt": yuan(parts.classes.total),
        "fulamt_ownpay_amt": yuan(parts.classes.own_expense),
        "overlmt_selfpay": yuan(parts.classes.over_limit),
        "preselfpay_amt": yuan(parts.classes.first_self_pay),
        "inscp_scp_amt": yuan(parts.classes.in_scope),
        "act_pay_dedc": yuan(parts.deductible),
        "hifp_pay": yuan(parts.fund),
        "pool_prop_selfpay": parts.ratio,
        "cvlserv_pay": nothing,
        "hifes_pay": nothing,
        "hifmi_pay": nothing,
        "hifob_pay": nothing,
        "maf_pay": nothing,
        "oth_pay": nothing,
        "fund_pay_sumamt": yuan(parts.fund),
        "psn_part_amt": yuan(parts.person),
        "acct_pay": yuan(parts.account),
        "psn_cash_pay": yuan(parts.cash),
        "hosp_part_amt": nothing,
        "balc": yuan(parts.balance_after),
        "acct_mulaid_pay": nothing,
        "medins_setl_id": msgid or None,
        "clr_optins": "990001",
        "clr_way": "1",
        "clr_type": due.med_type,
    }
    return {"setlinfo": info, "setldetail": _rows(parts, scheme)}


def void_node(settled: dict[str, Any], setl_id: str, msgid: str, balance: int) -> dict[str, Any]:
    """Output of 2208: everything negative, and three amounts null, as recorded from the real platform."""
    info = {
        name: -value if isinstance(value, Decimal) and name != "pool_prop_selfpay" else value
        for name, value in settled["setlinfo"].items()
    }
    info |= {"setl_id": setl_id, "medins_setl_id": msgid, "balc": yuan(balance)}
    info |= {"psn_part_amt": None, "hosp_part_amt": None, "acct_mulaid_pay": None}
    rows = [{**row, "fund_payamt": -row["fund_payamt"]} for row in settled["setldetail"]]
    return {"setlinfo": info, "setldetail": rows}


def yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def fen(amount: Decimal) -> int | None:
    """None for an amount finer than a fen."""
    scaled = amount.scaleb(2)
    return int(scaled) if scaled == scaled.to_integral_value() else None


def _rows(parts: Parts, scheme: Scheme) -> list[dict[str, Any]]:
    rows = [(scheme.fund_row, parts.fund, "统筹基金"), ("310201", parts.account, "个人账户")]
    return [
        {
            "fund_pay_type": kind,
            "inscp_scp_amt": yuan(parts.classes.in_scope),
            "crt_payb_lmt_amt": None,
            "fund_payamt": yuan(amount),
            "fund_pay_type_name": name,
            "setl_proc_info": "",
        }
        for kind, amount, name in rows
        if amount
    ]
