"""Frames of tests/vectors/kmy.txt, judged against the terminal's codec and the simulated pad, written separately."""

from pathlib import Path

import pytest

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Command, Framing, Reply
from simulators.devices.kmy import KmyPad

LINES = [
    line.split(";")
    for line in (Path(__file__).parent.parent / "vectors" / "kmy.txt").read_text(encoding="utf-8").splitlines()
    if line.startswith("[")
]
FRAMES = [(text.split("]")[0][1:], bytes.fromhex(text.split("]")[1]), note.strip()) for text, note in LINES]
COMMANDS = {
    "version": codec.identify(),
    "reset": codec.reset(),
    "reset + wipe": Command(0x31, b"\x38"),
    "3DES working mode": codec.parameter(codec.Parameter.WORKING, codec.TRIPLE_DES),
    "activate M0 N0": codec.activate(0, 0),
    "start PIN, 6 digits, 60 s": codec.start_pin(6, 60, with_account=True),
    "PAN digits 060100772688": codec.account("060100772688"),
    "read PIN block": codec.read_pin_block(),
    "type a part of master key 0 at the pad": codec.type_component(0, None, 60.0),
    "type a part of M1 N2 in verify mode at the pad": codec.type_component(1, 2, 60.0),
    "3DES with the master key itself": codec.parameter(codec.Parameter.WORKING, codec.TRIPLE_DES_MASTER),
    "encrypt eight zeros": codec.encrypt_zeros(),
}
CASES = [
    (frame, COMMANDS[name], Framing(expand=tag == "kmyx"))
    for tag, frame, note in FRAMES
    if (name := note.rsplit(",", 1)[0]) in COMMANDS
]


def test_all_vectors_are_used() -> None:
    """Each line of the file is a command or the one reply."""
    assert len(CASES) + 1 == len(FRAMES) == 17


@pytest.mark.parametrize(("frame", "command", "framing"), CASES)
def test_the_codec_sends_the_vector(frame: bytes, command: Command, framing: Framing) -> None:
    """The terminal's bytes are the vector's."""
    assert codec.encode(command, framing) == frame


@pytest.mark.parametrize(("frame", "command", "framing"), CASES)
def test_the_simulated_pad_understands_the_vector(frame: bytes, command: Command, framing: Framing) -> None:
    """The pad takes the vector for that command, and its reply is one for the codec; to 23 and 24 it comes later."""
    pad = KmyPad({0: bytes(16), 1: bytes(16)}, expand=framing.expand, etx=framing.etx)
    sent: list[bytes] = []
    pad.wire = sent.append
    pad.receive(frame)
    assert list(pad.commands) == [command.code]
    if command.person_s:
        assert pad.lit and not sent, "answered once a part was typed"
        pad.press("cancel")
        sent = sent[1:]  # the key itself
    assert [type(event) for event in codec.Decoder(framing).receive(b"".join(sent))] == [Reply]


def test_the_good_reply_of_the_vectors() -> None:
    """``02 01 04 05 03`` is "done" to the codec and what the simulated pad says."""
    frame = next(frame for _, frame, note in FRAMES if note.startswith("reply OK"))
    assert codec.Decoder(Framing(expand=False)).receive(frame) == [Reply(codec.OK)]
    pad = KmyPad({}, expand=False)
    sent: list[bytes] = []
    pad.wire = sent.append
    pad.receive(codec.encode(codec.reset(), Framing(expand=False)))
    assert sent == [frame]


def test_a_clear_master_key_cannot_be_sent() -> None:
    """Command 32 is none of the terminal's (pins-and-keys 8), and the refusal does not quote it."""
    with pytest.raises(ValueError, match=r"^command 32 is not sent by terminals$"):
        codec.encode(Command(0x32, b"\x00" + bytes(16)), Framing())


@pytest.mark.parametrize(
    "refused",
    [
        lambda: codec.account("12345678901x"),
        lambda: codec.account("1234567890123"),
        lambda: codec.load_work_key(0, 4, bytes(16)),
        lambda: codec.load_work_key(0, 0, bytes(15)),
        lambda: codec.mac(bytes(4)),
        lambda: codec.type_component(16, None, 60.0),
        lambda: codec.type_component(0, 4, 60.0),
        lambda: codec.mac(bytes(248)),
        lambda: codec.decrypt(bytes(9)),
        lambda: codec.start_pin(13, 60, True),
    ],
)
def test_arguments_out_of_range_never_reach_the_line(refused) -> None:  # type: ignore[no-untyped-def]
    """Each is refused when the command is made, without being quoted."""
    with pytest.raises(ValueError, match=r"^argument of command [0-9A-F]{2} out of range$"):
        refused()


def test_nothing_shows_the_content_of_a_frame() -> None:
    """``repr`` of commands, replies and keys names the kind and never the content."""
    shown = repr([codec.account("060100772688"), Reply(4, b"060100"), codec.KeyByte(0x36)])
    assert "060100" not in shown and "54" not in shown


@pytest.mark.parametrize("options", [{"expand": "HEX"}, {"etx": "yes"}])
def test_unknown_framings_are_refused(options: dict[str, object]) -> None:
    """Only the four framings exist."""
    with pytest.raises(ValueError, match="expand is"):
        Framing.from_options(options)


def test_framing_survives_its_options() -> None:
    """What the driver hands to the short-lived process comes back as the same framing."""
    for framing in (Framing(a, b) for a in (True, False) for b in (True, False)):
        assert Framing.from_options(framing.options()) == framing
