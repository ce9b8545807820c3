"""Signing families: gateway headers and encData/signData, on published vectors and against the sandbox."""

import atexit
import base64
import contextlib
import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from kiosk.hosts.medical_insurance.signer import (
    GatewaySigner,
    Sm3Signature,
    SmSigner,
    gateway_signature,
    text_to_sign,
)
from kiosk.hosts.medical_insurance.sm import sm3, sm4_decrypt, sm4_encrypt
from kiosk.hosts.medical_insurance.sm2 import sm2_signature
from kiosk.hosts.shape import BadShape
from kiosk.ports import HostRefused, OutcomeUnknown
from simulators.hosts import medical_insurance_sm2 as platform
from simulators.hosts.medical_insurance_signing import TEST_ID, TEST_SECRET
from tests.hosts.medical import Clinic

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


def sm_signer() -> SmSigner:
    return SmSigner(TEST_ID, TEST_SECRET, Sm3Signature(), lambda: 1_763_700_000)


@cache
def key_files() -> Path:
    """A folder that lives as long as the tests, with the PEM files that settings would name."""
    folder = Path(mkdtemp(prefix="sm2-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "private").write_bytes(platform.private_pem(platform.TERMINAL_PRIVATE))
    (folder / "platform").write_bytes(platform.public_pem(platform.PLATFORM_PRIVATE))
    return folder


def sm2_signer() -> SmSigner:
    ours = sm2_signature(key_files() / "private", key_files() / "platform")
    return SmSigner(TEST_ID, TEST_SECRET, ours, lambda: 1_763_700_000)


def gateway(token: str = TEST_SECRET) -> GatewaySigner:
    return GatewaySigner(TEST_ID, token, lambda: 1_763_700_000, lambda: "n0nce")


def test_sm3_vector() -> None:
    """SM3 of "abc" (GB/T 32905-2016, example 1)."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm4_vector() -> None:
    """SM4 with key = plain text (GB/T 32907-2016, example 1); one block, the padding block comes after it."""
    assert sm4_encrypt(KEY, KEY)[:16].hex() == "681edf34d206965e86b3e94f536e4246"
    bare = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()  # noqa: S305  # the vector is of a single block
    assert bare.update(KEY).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm2_vector(tmp_path: Path) -> None:
    """Key, digest and signature of the worked example of GB/T 32918.5-2017 (A.2), by the terminal's code."""
    point = (
        "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    signed = bytes.fromhex(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
    )
    public = platform.public_pem(platform.TERMINAL_PRIVATE)
    assert base64.b64decode(b"".join(public.splitlines()[1:-1])).hex().upper().endswith(point)
    (tmp_path / "public").write_bytes(public)
    example = sm2_signature(key_files() / "private", tmp_path / "public")
    assert example.valid(b"message digest", signed)
    assert platform.holds(b"message digest", signed, public)
    for text, altered in ((b"message digesT", signed), (b"message digest", signed[:-1] + b"\0")):
        assert not example.valid(text, altered)
        assert not platform.holds(text, altered, public)
    for short in (b"", signed[:63], bytes(64)):
        assert not example.valid(b"message digest", short)


@pytest.mark.parametrize("private", [1, 2**200 + 7, platform.PLATFORM_PRIVATE])
def test_each_side_checks_the_other(private: int, tmp_path: Path) -> None:
    """What one side signs the other finds valid, under any key."""
    (tmp_path / "private").write_bytes(platform.private_pem(private))
    (tmp_path / "public").write_bytes(platform.public_pem(private))
    ours = sm2_signature(tmp_path / "private", tmp_path / "public")
    assert platform.holds(b"text", ours.sign(b"text"), platform.public_pem(private))
    assert ours.valid(b"text", platform.signature(b"text", private))


def test_nonsense_keys_are_refused(tmp_path: Path) -> None:
    """Keys that are none are a mistake in the settings, told without the key."""
    (tmp_path / "noise").write_bytes(b"SM2 noise")
    good = key_files()
    for private, public in (
        (tmp_path / "noise", good / "platform"),
        (good / "private", tmp_path / "noise"),
        (good / "private", tmp_path / "missing"),
        (good / "platform", good / "platform"),
    ):
        with pytest.raises(ValueError, match="SM2 keys"):
            sm2_signature(private, public)


def test_a_key_that_went_away_sends_nothing(tmp_path: Path) -> None:
    """When OpenSSL cannot sign any more the message is surely not sent."""
    key = tmp_path / "private"
    key.write_bytes((key_files() / "private").read_bytes())
    ours = sm2_signature(key, key_files() / "platform")
    key.unlink()
    with pytest.raises(HostRefused, match="not_signed"):
        ours.sign(b"text")


def test_gateway_signature_is_a_plain_digest() -> None:
    """Hex SHA-256 of timestamp + token + nonce + timestamp; recomputed with sha256sum."""
    expected = "8488bb51eb473a0730e91074df28976d5d9adcfe825296d99dac5f9f84417803"
    assert gateway_signature("1600000000", "token", "nonce") == expected


def test_text_to_sign_is_in_ascii_order_without_empty_fields() -> None:
    """Non-empty fields by ASCII order of their names, then the secret; signData, encData and extra stay out."""
    fields = {"version": b"1.0.0", "appCode": b"A", "extra": b"x", "signData": b"x", "timestamp": b"", "data": b"{}"}
    assert text_to_sign(fields, "S") == b"appCode=A&data={}&version=1.0.0&key=S"


@given(st.binary(max_size=200))
def test_sm4_round_trip(plain: bytes) -> None:
    """What was encrypted is decrypted, of any length."""
    assert sm4_decrypt(KEY, sm4_encrypt(KEY, plain)) == plain


@given(st.binary(max_size=100))
def test_noise_is_never_decrypted_by_accident(noise: bytes) -> None:
    """Bytes that nobody encrypted end in ValueError or in some text, never in another exception."""
    with contextlib.suppress(ValueError):
        assert isinstance(sm4_decrypt(KEY, noise), bytes)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=20), lambda one: st.dictionaries(st.text(max_size=10), one)
)


@given(JSON)
def test_noise_is_never_a_signed_answer(body: Any) -> None:
    """Whatever JSON a host sends, the sealed family opens it or says BadShape."""
    with pytest.raises(BadShape):
        sm_signer().opened(body)


async def test_the_sandbox_takes_both_families(tmp_path: Path) -> None:
    """Gateway headers, encData with SM3 and with SM2 are all accepted; a sealed question's answer is sealed too."""
    for signer in (gateway(), sm2_signer(), sm_signer()):
        clinic = Clinic(tmp_path, signer=signer)
        assert (await clinic.person("li_jianguo")).in_force
        clinic.platform.close()
    assert b"encData" in clinic.link.sent[-1]
    assert b"encData" in clinic.link.received[-1]
    assert "李建国".encode() not in clinic.link.received[-1]


async def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    """A message that is signed with another token is refused by the platform."""
    clinic = Clinic(tmp_path, signer=gateway("another"))
    with pytest.raises(HostRefused, match="-1"):
        await clinic.person("li_jianguo")
    clinic.platform.close()


@pytest.mark.parametrize("signer", [sm_signer(), sm2_signer()])
async def test_a_wrongly_signed_answer_is_unknown(tmp_path: Path, signer: SmSigner) -> None:
    """A settlement whose answer is wrongly signed is booked at the platform and unknown here."""
    clinic = Clinic(tmp_path, signer=signer)
    person, bill = await clinic.person("li_jianguo"), clinic.bill("li_jianguo", 1)
    clinic.platform.behaviour.wrongly_signed = True
    with pytest.raises(OutcomeUnknown, match="wrongly signed"):
        await clinic.client.settle(person, bill, True, clinic.client.new_message_id())
    assert len(clinic.platform.platform.live(person.person_number, bill.visit_number)) == 1
    clinic.platform.close()


def test_an_altered_answer_is_unknown() -> None:
    """One altered character of the encrypted text makes the answer worthless."""
    signer = sm_signer()
    sealed = json.loads(signer.seal(b'{"infcode": 0}').body)
    assert signer.opened(sealed) == {"infcode": 0}
    secret = sealed["data"]["encData"]
    sealed["data"]["encData"] = ("0" if secret[0] != "0" else "1") + secret[1:]
    with pytest.raises(BadShape):
        signer.opened(sealed)
