"""The envelope around every message of the national interface, and the one around every answer. No IO."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from kiosk.hosts.shape import Part, read

SELF_SERVICE = "2"  # opter_type: 1 operator, 2 self-service terminal, 3 mobile terminal
WORDS_MAX = 200  # err_msg

_Text = Annotated[str, msgspec.Meta(max_length=40_000)]
_as_json = msgspec.json.Encoder(decimal_format="number")  # amounts are JSON numbers on this wire, and never floats here


@dataclass(frozen=True)
class Sender:
    """Who speaks; the same for the life of a terminal."""

    institution_code: str
    institution_name: str
    place: str
    receiving_system: str
    version: str
    operator: str  # the terminal's number


class NotAccepted(Exception):
    """infcode is not 0. ``words`` is the platform's text for people."""

    def __init__(self, infcode: str, words: str) -> None:
        super().__init__(infcode)
        self.infcode = infcode
        self.words = words


class _Answer(Part):
    infcode: int | Annotated[str, msgspec.Meta(max_length=8)]
    err_msg: _Text | None = None
    output: dict[str, Any] | None = None


def message(
    sender: Sender,
    number: str,
    message_id: str,
    at: str,
    content: Mapping[str, Any],
    *,
    insured_place: str = "",
    sign_number: str = "",
) -> dict[str, Any]:
    """A request. ``number`` is infno; ``at`` is local time as ``yyyy-MM-dd HH:mm:ss``; ``content`` is the input node.

    ``insured_place`` (insuplc_admdvs, from 1101) is required as soon as the content names a person number.
    """
    return {
        "infno": number,
        "msgid": message_id,
        "mdtrtarea_admvs": sender.place,
        "insuplc_admdvs": insured_place,
        "recer_sys_code": sender.receiving_system,
        "dev_no": sender.operator,
        "dev_safe_info": "",
        "cainfo": "",
        "signtype": "",
        "infver": sender.version,
        "opter_type": SELF_SERVICE,
        "opter": sender.operator,
        "opter_name": sender.operator,
        "inf_time": at,
        "fixmedins_code": sender.institution_code,
        "fixmedins_name": sender.institution_name,
        "sign_no": sign_number,
        "input": content,
    }


def wire(request: Mapping[str, Any]) -> bytes:
    """JSON, UTF-8; ``Decimal`` becomes a number."""
    return _as_json.encode(request)


def output(body: Any) -> dict[str, Any]:
    """The output node of a successful answer, {} where there is none.

    Raises:
        NotAccepted: any infcode but 0. BadShape: no answer of this interface.
    """
    answer = read(body, _Answer)
    infcode = str(answer.infcode).strip()
    if infcode != "0":
        raise NotAccepted(infcode, (answer.err_msg or "")[:WORDS_MAX])
    return answer.output or {}


def yuan_number(fen: int) -> Decimal:
    """``452`` fen as the number 4.52."""
    return Decimal(fen).scaleb(-2)
