"""Issuer scripts: commands from the bank to its card (EMV Book 3, 10.10; Book 4, annex A5)."""

from collections.abc import Generator

from drivers.apdu import emv_tlv as tlv
from drivers.apdu.command import Command, Response
from drivers.apdu.exchange import Exchange, send

BEFORE, AFTER = "71", "72"  # the second GENERATE AC
SCRIPTS_MAX = 8
COMMANDS_MAX = 15  # the result has four bits for the number of the one that failed
_ID, _COMMAND = "9F18", "86"
_OK_OR_WARNING = (0x90, 0x62, 0x63)

Results = Generator[bytes, bytes, list[bytes]]


def run_scripts(answer: bytes, which: str) -> Results:
    """Run all scripts of one template; five bytes of result each (DF31): how far it came, and the script's id.

    First byte: high half 2 = all commands done, 1 = one failed, 0 = not begun; low half = number of the failed one.

    Raises:
        MalformedTlv: the answer is no TLV.
    """
    scripts = [value for tag, value in tlv.walk(answer) if tag == which][:SCRIPTS_MAX]
    results = []
    for script in scripts:
        results.append((yield from _run_one(script)))
    return results


def _run_one(script: bytes) -> Generator[bytes, bytes, bytes]:
    name, commands = b"", []
    try:
        for tag, value in tlv.walk(script):
            name = value if tag == _ID else name
            commands += [value] if tag == _COMMAND else []
    except tlv.MalformedTlv:
        return bytes(5)
    name = name[:4].ljust(4, b"\0")
    for number, command in enumerate(commands[:COMMANDS_MAX], start=1):
        answer = yield from _send_raw(command)
        if answer.status >> 8 not in _OK_OR_WARNING:
            return bytes((0x10 | number,)) + name
    return b"\x20" + name


def _send_raw(command: bytes) -> Exchange:
    """The issuer's bytes as they are, except for a Le: no answer data is expected of a script command."""
    if len(command) < 5 or len(command) < 5 + command[4]:
        return Response(b"", 0x6700)
    cla, ins, p1, p2, length = command[:5]
    return (yield from send(Command(cla, ins, p1, p2, command[5 : 5 + length])))
