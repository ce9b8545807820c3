"""What the bank's security module does in the sandbox: working keys, MACs, PIN blocks, cryptograms. TEST keys only."""

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from simulators.cards import bank_keys
from simulators.devices import kmy_crypto
from simulators.worlds.world import BankAccount, Keys

SINGLE, DOUBLE = "003", "004"


class PinFormatWrong(Exception):
    """The block is no PIN block under our key."""


def fresh_keys(master: bytes, form: str, random: Callable[[int], bytes]) -> tuple[bytes, bytes, bytes]:
    """PIN key, MAC key, and field 62 that carries them: 24 bytes, or 40 with the MAC key single and filled."""
    pin_key, mac_key = random(8 if form == SINGLE else 16), random(8)
    wrapped_pin, wrapped_mac = (kmy_crypto.encrypt_ecb(master, key) for key in (pin_key, mac_key))
    filling = b"" if form == SINGLE else bytes(8)
    checks = [kmy_crypto.check_value(key) for key in (pin_key, mac_key)]
    return pin_key, mac_key, wrapped_pin + checks[0] + wrapped_mac + filling + checks[1]


def mac(key: bytes, covered: bytes) -> bytes:
    """UnionPay's ECB MAC, as it stands in field 64: eight characters."""
    return kmy_crypto.mac_unionpay(key, covered)


def mac_x9_19(key: bytes, covered: bytes) -> bytes:
    """CBC under the first half, the last block under both; zero padding. Eight bytes."""
    state = bytes(8)
    padded = covered + bytes(-len(covered) % 8)
    for at in range(0, len(padded), 8):
        state = kmy_crypto.encrypt_ecb(key[:8], kmy_crypto.xor(state, padded[at : at + 8]))
    return kmy_crypto.encrypt_ecb(key, kmy_crypto.decrypt_ecb(key[:8], state))


def clear_pin(key: bytes, block: bytes, pan: str) -> str:
    """The digits of a format 0 block. Raises PinFormatWrong."""
    field = kmy_crypto.xor(kmy_crypto.decrypt_ecb(key, block), bytes.fromhex("0000" + pan[:-1][-12:].rjust(12, "0")))
    return _digits_of(field.hex())


def sm4_pin_block(key: bytes, pin: str, pan: str) -> bytes:
    """The 16-byte block of national pads: PIN field and account field each filled to 16 bytes, SM4-ECB."""
    return _sm4(key, kmy_crypto.xor(_long_field(pin), _account_field(pan)), decrypt=False)


def clear_pin_sm4(key: bytes, block: bytes, pan: str) -> str:
    """Raises PinFormatWrong."""
    return _digits_of(kmy_crypto.xor(_sm4(key, block, decrypt=True), _account_field(pan)).hex())


def _long_field(pin: str) -> bytes:
    return bytes.fromhex(f"0{len(pin):X}{pin}".ljust(32, "F"))


def _account_field(pan: str) -> bytes:
    return bytes.fromhex(pan[:-1][-12:].rjust(32, "0"))


def _sm4(key: bytes, block: bytes, *, decrypt: bool) -> bytes:
    cipher = Cipher(SM4(key), modes.ECB())  # noqa: S305 - one block
    worker = cipher.decryptor() if decrypt else cipher.encryptor()
    return worker.update(block) + worker.finalize()


def _digits_of(field: str) -> str:
    length = int(field[1], 16)
    digits, filling = field[2 : 2 + length], field[2 + length :]
    if field[0] != "0" or not 4 <= length <= 12 or not digits.isdigit() or filling.strip("f"):
        raise PinFormatWrong
    return digits


class IssuerModule:
    """Judges what a card made, and answers it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def genuine(self, account: BankAccount, chip: dict[str, bytes]) -> bool:
        """Whether the ARQC in field 55 is this card's over these very figures."""
        try:
            data = b"".join(chip[tag] for tag in ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37"))
            covered = data + chip["82"] + chip["9F36"] + chip["9F10"][3:7]
            return chip["9F27"] == b"\x80" and chip["9F26"] == bank_keys.retail_mac(
                self._session(account, chip["9F36"]), covered
            )
        except KeyError:
            return False

    def answer(self, account: BankAccount, chip: dict[str, bytes], code: str) -> bytes:
        """Field 55 of the answer: issuer authentication data, and the script that the world gives this account."""
        arpc = bank_keys.arpc(self._session(account, chip["9F36"]), chip["9F26"], code.encode())
        return _tlv(0x91, arpc + code.encode()) + self._script(account, chip)

    def _session(self, account: BankAccount, atc: bytes) -> bytes:
        master = bank_keys.card_master(self._keys.bank_card, account.pan, account.sequence)
        return bank_keys.session_key(master, atc)

    def _script(self, account: BankAccount, chip: dict[str, bytes]) -> bytes:
        form = {"unblock_counter": "04DA9F5806", "block_application": "841E000004", "nonsense": "84EE000004"}
        if account.script == "none":
            return b""
        head = bytes.fromhex(form[account.script])
        master = bank_keys.card_master(self._keys.bank_script, account.pan, account.sequence)
        data = bytes(head[4] - 4)
        session = bank_keys.session_key(master, chip["9F36"])
        proof = bank_keys.script_mac(session, head, chip["9F36"], chip["9F26"], data)
        command = _tlv(0x86, head + data + proof)
        return _tlv(0x72, bytes.fromhex("9F180400000001") + command)


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value
