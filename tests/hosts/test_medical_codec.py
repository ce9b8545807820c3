"""The codec of the national interface against noise: understood or refused, never anything else."""

import copy
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import Fen
from kiosk.domain.settlement import BillLine, MedicalBill, Settlement, Split, Treatment
from kiosk.hosts.medical_insurance import codec
from kiosk.hosts.medical_insurance.envelope import NotAccepted, output
from kiosk.hosts.shape import BadShape

MESSAGE = "H99000100001202611211200000100"
LINES = (BillLine("a", "1", Fen(452)),)
BILL = MedicalBill("B1", "d", date(2026, 11, 21), Fen(452), LINES, "M1", "C1", in_scope_fen=Fen(452))
TREATMENT = Treatment("P1", "990001", "M1")
SPLIT = Split(Fen(452), Fen(0), Fen(452), Fen(0), Fen(0))
SETTLED = Settlement("S1", MESSAGE, "M1", SPLIT)
CARD = codec.Credential("03", "Y00000024", "99" * 16)
NODE: dict[str, Any] = {
    "setlinfo": {
        "mdtrt_id": "M1", "psn_no": "P1", "setl_id": "S1", "medins_setl_id": MESSAGE, "medfee_sumamt": Decimal("4.52"),
        "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0, "preselfpay_amt": Decimal("0.23"),
        "inscp_scp_amt": Decimal("4.29"), "hifp_pay": 0, "fund_pay_sumamt": 0, "psn_part_amt": Decimal("4.52"),
        "acct_pay": Decimal("4.52"), "psn_cash_pay": Decimal("0.0"), "hosp_part_amt": 0, "balc": Decimal("1373.63"),
    },
    "setldetail": [{"fund_pay_type": "310201", "fund_payamt": Decimal("4.52")}],
}  # fmt: skip
PERSON: dict[str, Any] = {
    "baseinfo": {"psn_no": "P1"},
    "insuinfo": [
        {"insutype": "39999", "psn_insu_stas": "4", "balc": 0, "insuplc_admdvs": "990001"},
        {"insutype": "390", "psn_insu_stas": "1", "balc": 0, "insuplc_admdvs": "990001"},
        {"insutype": "310", "psn_insu_stas": "2", "balc": Decimal("88.10"), "insuplc_admdvs": "990001"},
    ],
    "idetinfo": [],
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=12) | st.just(Decimal("1E+999999")),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=12), one, max_size=3),
)
# Every way to read an output node, with a good one.
READERS: list[tuple[Callable[[Any], object], dict[str, Any]]] = [
    (lambda told: codec.sign_number(told), {"signinoutb": {"sign_no": "1"}}),
    (lambda told: codec.insured_person(told, CARD, ("310", "390")), PERSON),
    (lambda told: codec.split(told, BILL, 1), NODE),
    (lambda told: codec.settlement(told, BILL, MESSAGE, 1, Fen(137815)), NODE),
    (lambda told: codec.found(told, TREATMENT, MESSAGE, 1), NODE),
    (
        lambda told: codec.check_void(told, SETTLED),
        {**NODE, "setlinfo": NODE["setlinfo"] | {"medfee_sumamt": Decimal("-4.52")}},
    ),
]


def paths(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(path for key, child in below for path in paths(child, (*here, key)))]


@pytest.mark.parametrize(("reader", "good"), READERS)
def test_good_answers_are_understood(reader: Callable[[Any], object], good: dict[str, Any]) -> None:
    """Each reader takes its own good answer."""
    reader(good)
    with pytest.raises(BadShape):
        reader({"setlinfo": 1})


@given(st.data())
def test_one_spoilt_place_is_understood_or_bad_shape(data: st.DataObject) -> None:
    """A good answer with anything at all in one place is read or is BadShape: no other exception, whatever it is."""
    reader, good = data.draw(st.sampled_from(READERS))
    spoilt = copy.deepcopy(good)
    path = data.draw(st.sampled_from(paths(good)[1:]))
    parent: Any = spoilt
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = data.draw(JSON)
    try:
        reader(spoilt)
    except (BadShape, codec.NoFittingInsurance) as refused:
        assert str(path) not in str(refused)


@given(JSON)
def test_noise_is_no_envelope(body: Any) -> None:
    """Any JSON as a whole answer is no answer of this interface."""
    with pytest.raises(BadShape):
        output(body)


@given(st.integers() | st.text(max_size=8))
def test_every_infcode_but_zero_is_no(infcode: int | str) -> None:
    """Only 0 is done, as a number or as text; all else is a no with its code."""
    body = {"infcode": infcode, "err_msg": None, "output": {"a": 1}}
    if str(infcode).strip() == "0":
        assert output(body) == {"a": 1}
    else:
        with pytest.raises(NotAccepted) as no:
            output(body)
        assert no.value.infcode == str(infcode).strip()


def test_the_first_insurance_in_force_is_chosen() -> None:
    """310 is paused, so 390 settles; local kinds of five digits are passed over."""
    person = codec.insured_person(PERSON, CARD, ("310", "390"))
    assert (person.insurance_code, person.in_force, person.credential_number) == ("390", True, "Y00000024")
    paused = codec.insured_person(PERSON, CARD, ("310",))
    assert (paused.insurance_code, paused.in_force, paused.balance_fen) == ("310", False, 8810)
    with pytest.raises(codec.NoFittingInsurance):
        codec.insured_person(PERSON, CARD, ("340",))


@pytest.mark.parametrize(
    "other", [{"mdtrt_id": "M2"}, {"medins_setl_id": "H9"}, {"setl_id": None}, {"acct_pay": None}, {"acct_pay": -1}]
)
def test_an_answer_about_something_else_is_not_understood(other: dict[str, Any]) -> None:
    """Another treatment, another message, no number, a missing or a negative amount: unknown, never "settled"."""
    with pytest.raises(BadShape):
        codec.settlement({**NODE, "setlinfo": NODE["setlinfo"] | other}, BILL, MESSAGE, 1, Fen(137815))


def test_amounts_finer_than_a_fen_are_not_understood() -> None:
    """Nobody rounds here: 4.525 yuan is no amount."""
    with pytest.raises(BadShape):
        codec.split({**NODE, "setlinfo": NODE["setlinfo"] | {"psn_cash_pay": Decimal("0.005")}}, BILL, 1)


def test_numbers_stay_exact_through_json() -> None:
    """16 digits and two decimals survive, which a binary float would not."""
    text = json.dumps({"setlinfo": {"mdtrt_id": "M1", "psn_no": "P1"}})[:-2] + ', "medfee_sumamt": 99999999999999.99}}'
    amounts, _ = codec.amounts_of(json.loads(text, parse_float=Decimal))
    assert amounts.total == 9_999_999_999_999_999
