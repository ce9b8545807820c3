"""The social security card application (LD/T 32): jobs that yield APDUs, to be run whole in the card's thread.

Every job selects its application first: another process may have spoken to the card since.
"""

from collections.abc import Generator

from drivers.apdu import items
from drivers.apdu.command import Command
from drivers.apdu.exchange import demand, send
from drivers.apdu.read_file import read_items, select_application
from drivers.apdu.status import OTHER_FORM, SECURITY_NOT_SATISFIED, CardRefused
from kiosk.domain.card import CardIdentity, ChipRecord, Holder, Sex

SSSE = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")  # "sx1.sh." and the GB2312 of 社会保障
DF04 = bytes.fromhex("D15600000503")  # 社会保险 2 / medical
ISSUING_FILE, HOLDER_FILE, CHIP_RECORD_FILE = 0xEF05, 0xEF06, 0xEF05

CODE, SPEC, ISSUED, EXPIRES, NUMBER = 0x01, 0x03, 0x05, 0x06, 0x07
_ISSUING = {CODE: 16, SPEC: 4, ISSUED: 4, EXPIRES: 4, NUMBER: 9}
SOCIAL_NUMBER, NAME, NAME_EXTENSION, SEX, NATION, BORN = 0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0D
_HOLDER = {SOCIAL_NUMBER: 18, NAME: 30, NAME_EXTENSION: 20, SEX: 1, NATION: 1, BORN: 4}
# INVENTED: no public text says where a chip keeps these. Months (2 bytes), fen (4 bytes), date (cn).
MONTHS, ACCOUNT, AS_OF = 0x60, 0x61, 0x62
_CHIP_RECORD = {MONTHS: 2, ACCOUNT: 4, AS_OF: 4}

CHALLENGE_BYTES = 16
RANDOM_BYTES = 8


class CardForeign(Exception):
    """A working chip without the social security application, or one that does not say which card it is."""


def identity(atr: bytes) -> Generator[bytes, bytes, CardIdentity]:
    """EF05: which card this is.

    Raises:
        CardForeign: no SSSE, or no identification code in it.
    """
    try:
        yield from select_application(SSSE)
        found = yield from read_items(ISSUING_FILE, _ISSUING)
    except CardRefused as error:
        raise CardForeign from error
    code = found.get(CODE, b"")
    if len(code) != 16:
        raise CardForeign
    return CardIdentity(
        identification_code=code,
        card_number=items.text(found.get(NUMBER, b"")),
        spec_version=items.text(found.get(SPEC, b"")),
        issued=items.day(found.get(ISSUED, b"")),
        expires=items.day(found.get(EXPIRES, b"")),
        atr=atr,
    )


def identification_code() -> Generator[bytes, bytes, bytes]:
    """Only item 01 of EF05, for asking whether it is still the same card; b"" if it does not tell."""
    try:
        yield from select_application(SSSE)
        found = yield from read_items(ISSUING_FILE, {CODE: 16})
    except CardRefused:
        return b""
    return found.get(CODE, b"")


def holder(selected: bool) -> Generator[bytes, bytes, Holder]:
    """EF06: whose card it is. ``selected``: an external authentication was the last thing done, and a SELECT by name
    may make the card forget it.

    Raises:
        CardRefused: 6982 on a spec 3.00 card whose external authentication was not done or is lost.
    """
    if not selected:
        yield from select_application(SSSE)
    return (yield from _holder_items())


def _holder_items() -> Generator[bytes, bytes, Holder]:
    found = yield from read_items(HOLDER_FILE, _HOLDER)
    sex = items.text(found.get(SEX, b""))
    return Holder(
        name=items.name(found.get(NAME, b""), found.get(NAME_EXTENSION, b"")),
        social_security_number=items.text(found.get(SOCIAL_NUMBER, b"")),
        sex=Sex(sex) if sex in {one.value for one in Sex} else Sex.UNKNOWN,
        nation=items.digits(found.get(NATION, b"")),
        born=items.day(found.get(BORN, b"")),
    )


def internal_authentication(key: int, challenge: bytes) -> Generator[bytes, bytes, bytes]:
    """What this card makes of a 16-byte challenge, b"" if it makes nothing of it: then it is not genuine."""
    yield from select_application(SSSE)
    answer = yield from send(Command(0x00, 0x88, 0x00, key, challenge, le=CHALLENGE_BYTES))
    return answer.data if answer.status == 0x9000 else b""


def card_random() -> Generator[bytes, bytes, bytes]:
    """GET CHALLENGE, the eight bytes that an external authentication must answer.

    Raises:
        CardRefused: the card gives none.
    """
    yield from select_application(SSSE)
    return (yield from demand("get_challenge", Command(0x00, 0x84, 0x00, 0x00, le=RANDOM_BYTES)))


def external_authentication(key: int, cryptogram: bytes, random: bytes) -> Generator[bytes, bytes, None]:
    """``00 82 00 <key> 10 <cryptogram><random>``, as observed; no SELECT before it, the random would be void.

    Raises:
        CardRefused: the cryptogram is wrong, or another command came between.
    """
    yield from demand("external_authenticate", Command(0x00, 0x82, 0x00, key, cryptogram + random))


def chip_record() -> Generator[bytes, bytes, ChipRecord]:
    """What the chip holds for a query without network; all None when it has no such file or keeps it closed."""
    try:
        yield from select_application(DF04)
        found = yield from read_items(CHIP_RECORD_FILE, _CHIP_RECORD)
    except CardRefused as error:
        if error.status in OTHER_FORM | {SECURITY_NOT_SATISFIED}:
            return ChipRecord(None, None, None)
        raise
    return ChipRecord(
        contributed_months=_number(found.get(MONTHS)),
        personal_account_fen=_number(found.get(ACCOUNT)),
        as_of=items.day(found.get(AS_OF, b"")),
    )


def _number(value: bytes | None) -> int | None:
    return int.from_bytes(value, "big") if value and any(byte != 0xFF for byte in value) else None
