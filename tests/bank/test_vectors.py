"""Both sides and two further libraries against the vectors: MAC, PIN block, check value, SM4, TLV, messages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from psec import des, mac, pinblock

from drivers.apdu import debit_card, emv_tlv
from kiosk.domain.card import PinTemplate
from kiosk.hosts.bank import codec
from simulators.devices import kmy_crypto
from simulators.hosts import bank_frames, bank_vault
from tests.bank.stand import CARD_RULES, card_of
from tests.bank.test_emv import ACT, account
from tests.pad_stand import Simulator, pad_on_wire

VECTORS = Path(__file__).parent.parent / "vectors"
MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def read(name: str, kind: str) -> list[dict[str, str]]:
    lines = [line for line in (VECTORS / name).read_text().splitlines() if line.startswith(f"[{kind}]")]
    return [dict(pair.split("=", 1) for pair in line.split("]", 1)[1].split(" ; ")[0].split()) for line in lines]


def hexed(vector: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


@pytest.mark.parametrize("vector", read("mac.txt", "fold"))
def test_folding_is_the_xor_of_blocks(vector: dict[str, str]) -> None:
    """The step of UnionPay's MAC that the terminal may do without a key."""
    message, folded = hexed(vector, "message", "folded")
    assert codec.fold(message) == folded
    assert codec.fold(folded) == folded


@pytest.mark.parametrize("vector", read("mac.txt", "unionpay"))
async def test_the_pad_makes_unionpay_macs(vector: dict[str, str]) -> None:
    """Driver, pad and the bank's own module give field 64 of the vector, from the folded block."""
    key, folded, wanted = hexed(vector, "key", "folded", "mac")
    assert bank_vault.mac(key, folded) == wanted
    async with pad_on_wire(Simulator({0: MASTER}), mac_algorithm="unionpay") as stand:
        await stand.driver.load_work_key(0, 1, kmy_crypto.encrypt_ecb(MASTER, key))
        assert await stand.driver.mac(0, 1, codec.fold(folded)) == wanted


async def test_a_whole_message_and_its_fold_have_the_same_mac() -> None:
    """So a message longer than the pad takes gets the MAC that the bank expects."""
    async with pad_on_wire(mac_algorithm="unionpay") as stand:
        await stand.load_keys()
        message = bytes(range(7, 247))
        assert await stand.driver.mac(0, 1, message) == await stand.driver.mac(0, 1, codec.fold(message))


@pytest.mark.parametrize("vector", read("mac.txt", "wrap"))
async def test_a_wrapped_key_answers_with_its_check_value(vector: dict[str, str]) -> None:
    """The pad unwraps under its master key; its check value is psec's."""
    master, cryptogram, key = hexed(vector, "master", "cryptogram", "key")
    async with pad_on_wire(Simulator({0: master})) as stand:
        assert await stand.driver.load_work_key(0, 1, cryptogram) == des.generate_kcv(key, 4)


@pytest.mark.parametrize("vector", read("mac.txt", "x9.19"))
def test_x9_19_is_what_psec_says(vector: dict[str, str]) -> None:
    """The sandbox's X9.19 and psec's agree with the standard's example."""
    key, message, wanted = hexed(vector, "key", "message", "mac")
    assert bank_vault.mac_x9_19(key, message) == wanted
    assert mac.generate_retail_mac(key[:8], key[8:], message, 1) == wanted


@pytest.mark.parametrize("vector", read("mac.txt", "kcv"))
def test_check_values(vector: dict[str, str]) -> None:
    """Four bytes of eight zeros under the key."""
    key, value = hexed(vector, "key", "value")
    assert kmy_crypto.check_value(key) == des.generate_kcv(key, 4) == value


@pytest.mark.parametrize("vector", read("mac.txt", "pin0"))
async def test_pin_blocks_of_format_0(vector: dict[str, str]) -> None:
    """Made in the pad, the same as psec's, and read back by the bank alone."""
    key, clear, block = hexed(vector, "key", "clear", "block")
    pin, pan12 = vector["pin"], vector["pan12"]
    assert pinblock.encode_pinblock_iso_0(pin, pan12 + "0") == clear
    assert bank_vault.clear_pin(key, block, pan12 + "0") == pin
    async with pad_on_wire(Simulator({0: MASTER})) as stand:
        await stand.driver.load_work_key(0, 0, kmy_crypto.encrypt_ecb(MASTER, key))
        made: list[bytes | None] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stand.type, pin, "enter")
            made.append(await stand.driver.pin_block(0, 0, pan12, PinTemplate(6, 6, 60.0), stand.progress))
    assert made == [block]


@pytest.mark.parametrize("vector", read("mac.txt", "sm4"))
def test_sm4_blocks(vector: dict[str, str]) -> None:
    """The library's SM4 is the standard's."""
    key, clear, cipher = hexed(vector, "key", "clear", "cipher")
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305 - a vector of one block
    assert encryptor.update(clear) == cipher


@pytest.mark.parametrize("vector", read("mac.txt", "pin_sm4"))
def test_pin_blocks_of_national_pads(vector: dict[str, str]) -> None:
    """16 bytes under SM4, in the sandbox and in a message; the KMY family's pad makes none."""
    key, block = hexed(vector, "key", "block")
    pan = vector["pan12"] + "0"
    assert bank_vault.sm4_pin_block(key, vector["pin"], pan) == block
    assert bank_vault.clear_pin_sm4(key, block, pan) == vector["pin"]
    message = codec.encode("0200", {"52": block.hex()}, with_mac=False, sm_pin_block=True)
    assert codec.decode(message, sm_pin_block=True).get("52") == block.hex().upper()


@pytest.mark.parametrize("vector", read("emv.txt", "tlv"))
def test_tlv(vector: dict[str, str]) -> None:
    """Found at any depth; what is cut off is malformed."""
    raw = bytes.fromhex(vector["raw"])
    if vector["tag"] == "error":
        with pytest.raises(emv_tlv.MalformedTlv):
            emv_tlv.decode(raw)
    else:
        assert emv_tlv.decode(raw)[vector["tag"]].hex().upper() == vector["value"]


@pytest.mark.parametrize("vector", read("emv.txt", "dol"))
def test_dol(vector: dict[str, str]) -> None:
    """Numbers fill and are cut on the left, everything else on the right."""
    values = {tag: bytes.fromhex(value) for tag, value in (pair.split(":") for pair in vector["values"].split(","))}
    assert emv_tlv.fill_dol(bytes.fromhex(vector["dol"]), values).hex().upper() == vector["filled"]


def test_the_first_apdus_are_the_published_ones() -> None:
    """SELECT of the directory and of the debit application, and GET PROCESSING OPTIONS, byte for byte."""
    card, sent = card_of(account()), set[str]()
    job = debit_card.open_application(CARD_RULES, ACT)
    apdu = next(job)
    try:
        while True:
            sent.add(apdu.hex().upper())
            apdu = job.send(card.transmit(apdu))
    except StopIteration:
        assert {vector["bytes"] for vector in read("emv.txt", "apdu")} <= sent


def iso_vectors() -> Iterator[tuple[str, bytes, dict[str, str]]]:
    for line in (VECTORS / "iso8583.txt").read_text().splitlines():
        if line.startswith("[message]"):
            head, fields = line.removeprefix("[message] ").split(" ; ")[0].split(" | ")
            mti, raw = head.split()
            yield mti, bytes.fromhex(raw), dict(pair.split("=", 1) for pair in fields.split())


@pytest.mark.parametrize(("mti", "raw", "fields"), list(iso_vectors()))
def test_messages(mti: str, raw: bytes, fields: dict[str, str]) -> None:
    """The terminal's codec and the bank's table both write and read them."""
    assert codec.encode(mti, fields, with_mac=False) == raw
    assert codec.decode(raw).fields == fields
    assert bank_frames.unpack(raw) == (mti, {int(number): value for number, value in fields.items()})
