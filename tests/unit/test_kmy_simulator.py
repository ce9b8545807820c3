"""The simulated pad computes what others compute, and refuses what a good pad refuses."""

import pytest
from psec import des, mac, pinblock

from simulators import devices
from simulators.devices import kmy_crypto
from simulators.devices.kmy import FAULTS, KEY_BYTES, KmyPad
from simulators.lines import QuietDevice
from simulators.worlds.world import World

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


class Desk:
    """A pad on the desk, spoken to in raw frames with ETX."""

    def __init__(self) -> None:
        self.pad = KmyPad({0: KEY}, expand=False)
        self.heard = bytearray()
        self.pad.wire = self.heard.extend

    def say(self, code: int, data: bytes = b"") -> tuple[int, bytes]:
        """Status and data of the reply."""
        self.heard.clear()
        body = bytes((1 + len(data), code)) + data
        check = 0
        for byte in body:
            check ^= byte
        self.pad.receive(b"\x02" + body + bytes((check, 3)))
        return self.heard[2], bytes(self.heard[3:-2])

    def with_key(self, slot: int) -> "Desk":
        self.say(0x46, b"\x01\x30")
        self.say(0x33, bytes((0, slot)) + kmy_crypto.encrypt_ecb(KEY, KEY[::-1]))
        self.say(0x43, bytes((0, slot)))
        return self


def test_check_values_agree_with_psec() -> None:
    """The published check value 08D7B4 of the well-known key, and psec's."""
    assert kmy_crypto.check_value(KEY)[:3].hex().upper() == "08D7B4"
    assert kmy_crypto.check_value(KEY[::-1]) == des.generate_kcv(KEY[::-1], 4)


@pytest.mark.parametrize("pin", ["1234", "123456", "123456789012"])
def test_pin_blocks_agree_with_psec(pin: str) -> None:
    """Format 0 of ISO 9564, enciphered; psec takes the PAN with its check digit."""
    clear = pinblock.encode_pinblock_iso_0(pin, "4012345678909")
    assert kmy_crypto.pin_block(KEY, pin.encode(), b"401234567890") == des.encrypt_tdes_ecb(KEY, clear)


@pytest.mark.parametrize("length", [1, 8, 9, 64])
def test_macs_agree_with_psec(length: int) -> None:
    """CBC MAC with padding method 1 and a double-length key."""
    message = bytes(range(length))
    assert kmy_crypto.mac_x9_9(KEY, message) == mac.generate_cbc_mac(KEY, message, 1)


def test_a_pin_without_account_is_the_bare_field() -> None:
    """Mode 2 knows no account: nothing is XORed in."""
    block = des.decrypt_tdes_ecb(KEY, kmy_crypto.pin_block(KEY, b"123456", b""))
    assert block.hex().upper() == "06123456FFFFFFFF"


@pytest.mark.parametrize("code", [0x36, 0x37, 0x41])
def test_the_pin_key_serves_pins_only(code: int) -> None:
    """Encrypting, decrypting and MACing under the PIN key are refused, unless the fault says otherwise."""
    desk = Desk().with_key(0)
    assert desk.say(code, bytes(8))[0] == 0x15
    desk.pad.faults.add("decrypts")
    assert desk.say(code, bytes(8))[0] == 0x04


def test_other_keys_encrypt_and_decrypt() -> None:
    """36 and 37 are inverse under a key that is not for PINs; each needs its own activation."""
    desk = Desk().with_key(2)
    status, cryptogram = desk.say(0x36, b"12345678")
    assert (status, cryptogram) == (0x04, des.encrypt_tdes_ecb(KEY[::-1], b"12345678"))
    assert desk.say(0x37, cryptogram)[0] == 0x15
    assert desk.with_key(2).say(0x37, cryptogram) == (0x04, b"12345678")


def test_a_pin_block_can_be_read_once() -> None:
    """The reply closes the encryption state."""
    desk = Desk().with_key(0)
    desk.say(0x34, b"060100772688")
    assert desk.say(0x35, bytes.fromhex("060101003C"))[0] == 0x04
    for name in ("1", "2", "3", "4", "enter"):
        desk.pad.press(name)
    assert desk.heard.endswith(b"****\x0d")
    assert desk.say(0x42)[0] == 0x04
    assert desk.say(0x42)[0] == 0x15


def test_in_plain_mode_digits_are_clear_and_no_block_is_made() -> None:
    """Mode 03 reports digits and refuses 42; without an active key PIN entry exists in that mode only."""
    desk = Desk()
    assert desk.say(0x35, bytes.fromhex("060102003C"))[0] == 0x15
    desk.say(0x45, b"\x03")
    desk.say(0x35, bytes.fromhex("060102003C"))
    for name in ("9", "8", "clear", "7", "6", "5", "enter"):
        desk.pad.press(name)
    assert desk.heard.endswith(b"98\x08765\x0d")
    assert desk.say(0x42)[0] == 0x15
    assert desk.say(0x45, b"\x3f") == (0x04, b"\x03")


def test_an_entry_times_out_by_its_own_clock() -> None:
    """After the seconds of command 35 the pad says 80 and forgets the digits; only then does time matter to it."""
    desk = Desk().with_key(0)
    assert isinstance(desk.pad, QuietDevice) and not desk.pad.can_time_out
    desk.pad.tick(100.0)
    desk.say(0x35, bytes.fromhex("060102003C"))
    assert desk.pad.can_time_out and desk.pad.lit
    desk.pad.press("1")
    assert desk.pad.display == "*"
    desk.pad.tick(159.9)
    assert desk.pad.lit
    desk.pad.tick(160.0)
    assert desk.heard.endswith(b"\x80") and not desk.pad.lit and desk.pad.display == ""
    assert desk.say(0x42)[0] == 0x15


def test_a_power_cut_keeps_keys_and_nothing_else() -> None:
    """Keys have their own battery; mode, entry and parameters are gone."""
    desk = Desk().with_key(0)
    desk.say(0x45, b"\x01")
    desk.pad.power_cut()
    assert desk.say(0x45, b"\x3f") == (0x04, b"\x00")
    assert desk.say(0x43, b"\x00\x00")[0] == 0x04


def test_a_wiped_pad_has_no_keys() -> None:
    """31 38 wipes: the master key is reported invalid."""
    desk = Desk().with_key(0)
    assert desk.say(0x31, b"\x38")[0] == 0x04
    assert desk.say(0x43, b"\x00\x00")[0] == 0x15
    assert desk.say(0x33, b"\x00\x40" + bytes(16))[0] == 0xB5


def test_keys_are_reported_only_while_the_keypad_is_on() -> None:
    """Off reports nothing; on and silent report every key by its byte."""
    desk = Desk()
    for mode, reported in ((0, b""), (1, bytes(KEY_BYTES.values())), (2, bytes(KEY_BYTES.values()))):
        desk.say(0x45, bytes((mode,)))
        desk.heard.clear()
        for name in KEY_BYTES:
            desk.pad.press(name)
        assert bytes(desk.heard) == reported


@pytest.mark.parametrize("code", [0x32, 0x44, 0x00])
def test_unknown_commands_are_e0(code: int) -> None:
    """The clear master key command is unknown too: TEST keys come with the world."""
    assert Desk().say(code, b"\x00")[0] == 0xE0


def test_an_unfinished_command_is_forgotten_after_a_pause() -> None:
    """Half a frame does not swallow the next one."""
    desk = Desk()
    desk.pad.tick(1.0)
    desk.pad.receive(b"\x02\x30")
    assert desk.pad.can_time_out
    desk.pad.tick(2.0)
    assert desk.say(0x31)[0] == 0x04


def test_the_registry_builds_by_name() -> None:
    """``build`` takes the master key from the world and the framing from options; unknown names list the known."""
    world = World(name="w", residents=[], cards=[])
    pad = devices.build("kmy", world, {"expand": "raw", "etx": "no"})
    assert isinstance(pad, KmyPad) and (pad.expand, pad.etx) == (False, False)
    with pytest.raises(KeyError, match="kmy"):
        devices.build("nothing", world)


def test_all_faults_have_names_of_their_own() -> None:
    """The list that the front panel shows has no double."""
    assert len(set(FAULTS)) == len(FAULTS) == 10
