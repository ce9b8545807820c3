"""The bank application in the resident's card: PSE, GPO, records, DDA or SDA, GENERATE AC, issuer scripts.

Written from public EMV and PBOC texts, apart from the terminal's half; keys in bank_keys.py. What a chip keeps (ATC,
blocked) lives in the object; what power-off forgets is in ``_Moment``.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

from simulators.cards import bank_keys as keys
from simulators.worlds.world import BankAccount, Keys

PSE = b"1PAY.SYS.DDF01"
AID = keys.RID + bytes.fromhex("010101")
CDOL1 = bytes.fromhex("9F02069F03069F1A0295055F2A029A039C019F3704")
CDOL2 = bytes.fromhex("8A02") + CDOL1
CDOL2_WITH_PROOF = bytes.fromhex("8A02910A") + CDOL1
PDOL = bytes.fromhex("9F1A02")
OK = b"\x90\x00"
_CDOL1_BYTES = 29
_AAC, _TC, _ARQC = 0x00, 0x40, 0x80


@dataclass
class _Moment:
    application: bytes = b""
    atc: bytes = b""
    session: bytes = field(default=b"", repr=False)
    cryptogram: bytes = b""  # the ARQC of this payment
    generated: int = 0
    issuer_proven: bool = False


class DebitApplication:
    """``transmit`` answers what ``claims`` takes."""

    def __init__(self, account: BankAccount, world_keys: Keys, holder_name: str, *, t0: bool = True) -> None:
        self.account = account
        self.atc = 0
        self.blocked = account.blocked
        self.balks = account.balks
        self.scripts_done = 0
        self._t0 = t0
        self._holder = holder_name
        self._key = keys.card_master(world_keys.bank_card, account.pan, account.sequence)
        self._script_key = keys.card_master(world_keys.bank_script, account.pan, account.sequence)
        self._moment = _Moment()

    def power_off(self) -> None:
        self._moment = _Moment()

    def claims(self, apdu: bytes) -> bool:
        """Whether this command is for the bank application; a SELECT of anything else leaves it."""
        if apdu[1] != 0xA4:
            return bool(self._moment.application)
        chosen = _data(apdu) in (PSE, AID) and apdu[2] == 0x04
        if not chosen:
            self._moment = _Moment()
        return chosen

    def transmit(self, apdu: bytes) -> bytes:
        commands = {
            0xA4: self._select,
            0xB2: self._read_record,
            0xA8: self._processing_options,
            0x88: self._internal_authenticate,
            0x82: self._external_authenticate,
            0xAE: self._generate,
            0x1E: self._block,
            0xDA: self._put,
        }
        command = commands.get(apdu[1])
        return command(apdu) if command else b"\x6d\x00"

    # --- selection and reading ----------------------------------------------------------------------------------------

    def _select(self, apdu: bytes) -> bytes:
        name = _data(apdu)
        if name == AID and self.blocked:
            return b"\x62\x83"
        self._moment = _Moment(application=name)
        more = tlv("88", b"\x01") if name == PSE else tlv("50", b"PBOC DEBIT") + tlv("9F38", PDOL)
        return tlv("6F", tlv("84", name) + tlv("A5", more)) + OK

    def _read_record(self, apdu: bytes) -> bytes:
        place = (apdu[3] >> 3, apdu[2])
        if self._moment.application == PSE:
            entry = tlv("61", tlv("4F", AID) + tlv("50", b"PBOC DEBIT") + tlv("87", b"\x01"))
            found = tlv("70", entry) if place == (1, 1) else b""
        else:
            found = self._record(place)
        if not found:
            return b"\x6a\x83"
        wanted = (apdu[4] if len(apdu) > 4 else 0) or 256
        return bytes((0x6C, len(found))) if self._t0 and wanted != len(found) else found[:wanted] + OK

    def _record(self, place: tuple[int, int]) -> bytes:
        return _records(self.account, self._holder, self._profile).get(place, b"")

    @property
    def _profile(self) -> bytes:
        kind = {"dda": 0x60, "sda": 0x40, "none": 0x00}[self.account.authentication]
        return bytes((kind | 0x18 | (0x04 if self.account.issuer_proof == "external" else 0), 0x00))

    def _processing_options(self, apdu: bytes) -> bytes:
        if self._moment.application != AID or self._moment.atc or self.atc >= 0xFFFF:
            return b"\x69\x85"
        if _data(apdu)[:2] != b"\x83\x02":
            return b"\x67\x00"
        self.atc += 1
        self._moment.atc = self.atc.to_bytes(2, "big")
        self._moment.session = keys.session_key(self._key, self._moment.atc)
        files = bytes.fromhex("08010100" + "10010101" + ("10020500" if self.account.authentication != "none" else ""))
        if self.account.authentication == "dda":  # both forms are in the field; each kind of card shows one
            return tlv("77", tlv("82", self._profile) + tlv("94", files)) + OK
        return tlv("80", self._profile + files) + OK

    # --- authentication -----------------------------------------------------------------------------------------------

    def _internal_authenticate(self, apdu: bytes) -> bytes:
        """DDA: sign the terminal's data together with a number of our own."""
        key = keys.card_rsa(self.account.pan)
        dynamic = b"\x08" + hashlib.sha256(self._moment.atc + self.account.pan.encode()).digest()[:8]
        head = b"\x05\x01" + bytes((len(dynamic),)) + dynamic
        return tlv("80", _signed(key, head, _data(apdu))) + OK

    def _external_authenticate(self, apdu: bytes) -> bytes:
        self._moment.issuer_proven = self._proves(_data(apdu))
        return OK if self._moment.issuer_proven else b"\x63\x00"

    def _proves(self, proof: bytes) -> bool:
        moment = self._moment
        return bool(moment.cryptogram) and proof[:8] == keys.arpc(moment.session, moment.cryptogram, proof[8:10])

    # --- cryptograms --------------------------------------------------------------------------------------------------

    def _generate(self, apdu: bytes) -> bytes:
        moment, asked, data = self._moment, apdu[2] & 0xC0, _data(apdu)
        if not moment.atc or moment.generated > 1:
            return b"\x69\x85"
        moment.generated += 1
        if moment.generated == 1:
            if len(data) != _CDOL1_BYTES:
                return b"\x67\x00"
            made = _AAC if asked == _AAC or self.blocked else _ARQC
            answer = self._cryptogram(made, data)
            moment.cryptogram = answer[1 + 2 : 1 + 2 + 8]
            return self._told(answer)
        return self._told(self._second(asked, data))

    def _second(self, asked: int, data: bytes) -> bytes:
        """A TC only for an approval that the issuer has proven."""
        code, rest = data[:2], data[2:]
        if self.account.issuer_proof == "second_ac":
            self._moment.issuer_proven = rest[8:10] == code and self._proves(rest[:10])
            rest = rest[10:]
        agrees = asked == _TC and self._moment.issuer_proven and not self.balks
        return self._cryptogram(_TC if agrees else _AAC, rest)

    def _cryptogram(self, kind: int, data: bytes) -> bytes:
        """CID, ATC, AC, issuer application data. The cryptogram covers CDOL data, AIP, ATC and CVR."""
        results = bytes((0x03, 0xA0 | (0x08 if kind == _ARQC else 0), 0x00, 0x00))
        made = keys.retail_mac(self._moment.session, data + self._profile + self._moment.atc + results)
        return bytes((kind,)) + self._moment.atc + made + bytes.fromhex("070101") + results + b"\x01"

    def _told(self, answer: bytes) -> bytes:
        if self.account.authentication != "dda":
            return tlv("80", answer) + OK
        parts = (("9F27", answer[:1]), ("9F36", answer[1:3]), ("9F26", answer[3:11]), ("9F10", answer[11:]))
        return tlv("77", b"".join(tlv(tag, value) for tag, value in parts)) + OK

    # --- issuer scripts -----------------------------------------------------------------------------------------------

    def _block(self, apdu: bytes) -> bytes:
        if not self._script_genuine(apdu):
            return b"\x69\x88"
        self.blocked = True
        return OK

    def _put(self, apdu: bytes) -> bytes:
        return OK if self._script_genuine(apdu) else b"\x69\x88"

    def _script_genuine(self, apdu: bytes) -> bool:
        data, moment = _data(apdu), self._moment
        session = keys.session_key(self._script_key, moment.atc or bytes(2))
        wanted = keys.script_mac(session, apdu[:5], moment.atc, moment.cryptogram, data[:-4])
        genuine = bool(moment.cryptogram) and data[-4:] == wanted
        self.scripts_done += genuine
        return genuine


def tlv(tag: str, value: bytes) -> bytes:
    head = bytes.fromhex(tag)
    return head + (bytes((len(value),)) if len(value) < 0x80 else bytes((0x81, len(value)))) + value


def _data(apdu: bytes) -> bytes:
    return apdu[5 : 5 + apdu[4]] if len(apdu) > 5 else b""


def _signed(key: keys.RsaKey, head: bytes, covered: bytes) -> bytes:
    """6A, head, BB..., hash over head, filling and ``covered``, BC; under the key."""
    body = head + b"\xbb" * (key.length - 22 - len(head))
    digest = hashlib.sha1(body + covered, usedforsecurity=False).digest()
    return key.sign(b"\x6a" + body + digest + b"\xbc")


def _certificate(signer: keys.RsaKey, head: bytes, owner: keys.RsaKey, static: bytes) -> tuple[bytes, bytes]:
    """A certificate over ``owner``'s key, and the digits of the key that had no room in it."""
    room = signer.length - 22 - len(head)
    digits = owner.modulus_bytes
    inside, rest = digits[:room].ljust(room, b"\xbb"), digits[room:]
    body = head + inside
    digest = hashlib.sha1(body + rest + bytes((owner.exponent,)) + static, usedforsecurity=False).digest()
    return signer.sign(b"\x6a" + body + digest + b"\xbc"), rest


@lru_cache(maxsize=64)
def _records(account: BankAccount, holder: str, profile: bytes) -> dict[tuple[int, int], bytes]:
    """SFI 1: track and name. SFI 2: record 1 is signed; 2 to 5 hold certificates and signatures: what is
    put on a card once, when it is made."""
    odd = "F" * (len(account.pan) % 2)
    track2 = f"{account.pan}D{account.expires}201000000000"
    proof = CDOL2_WITH_PROOF if account.issuer_proof == "second_ac" else CDOL2
    year_month = account.expires
    signed = b"".join(
        (
            tlv("5A", bytes.fromhex(account.pan + odd)),
            tlv("5F34", bytes.fromhex(account.sequence)),
            tlv("5F24", bytes.fromhex(year_month + "28")),
            tlv("5F25", bytes.fromhex("190101")),
            tlv("5F28", bytes.fromhex("0156")),
            tlv("9F07", bytes.fromhex("FF00")),
            tlv("9F08", bytes.fromhex("0030")),
            tlv("8C", CDOL1),
            tlv("8D", proof),
            tlv("8E", bytes.fromhex("000000000000000042030200")),
            tlv("9F0D", bytes.fromhex("D86004A800")),
            tlv("9F0E", bytes.fromhex("0010980000")),
            tlv("9F0F", bytes.fromhex("D86804F800")),
            tlv("9F4A", b"\x82"),
        )
    )
    name = holder.encode("ascii", "replace")[:26].ljust(2)
    records = {
        (1, 1): tlv("70", tlv("57", bytes.fromhex(track2 + "F" * (len(track2) % 2))) + tlv("5F20", name)),
        (2, 1): tlv("70", signed),
    }
    if account.authentication != "none":
        records |= _authentication_records(account, signed + profile)
    return records


def _authentication_records(account: BankAccount, static: bytes) -> dict[tuple[int, int], bytes]:
    authority, issuer, card = keys.ca_key(), keys.issuer_rsa(), keys.card_rsa(account.pan)
    expires = bytes.fromhex(account.expires[2:] + account.expires[:2])
    issuer_id = bytes.fromhex(account.pan[:8])
    head = b"\x02" + issuer_id + expires + b"\x00\x00\x01" + b"\x01\x01" + bytes((issuer.length, 1))
    certificate, rest = _certificate(authority, head, issuer, b"")
    records = {(2, 2): tlv("70", tlv("8F", bytes((keys.CA_INDEX,))) + tlv("9F32", b"\x03") + tlv("90", certificate))}
    records[2, 3] = tlv("70", tlv("92", rest) + tlv("93", _signed(issuer, b"\x03\x01\x00\x01", static)))
    pan = bytes.fromhex(account.pan.ljust(20, "F"))
    head = b"\x04" + pan + expires + b"\x00\x00\x02" + b"\x01\x01" + bytes((card.length, 1))
    certificate, rest = _certificate(issuer, head, card, static)
    records[2, 4] = tlv("70", tlv("9F46", certificate) + tlv("9F47", b"\x03") + tlv("9F48", rest))
    records[2, 5] = tlv("70", tlv("9F49", bytes.fromhex("9F3704")))
    return records
