"""One command to its final answer: 61xx and 6Cxx come raw through PC/SC for T=0 and T=1 alike, so they end here."""

from collections.abc import Generator

from drivers.apdu.command import Command, Response
from drivers.apdu.status import OK, CardRefused

# Yields APDUs, is sent answers. A whole job of these runs in the card's thread.
Exchange = Generator[bytes, bytes, Response]

PIECES_MAX = 16  # of GET RESPONSE for one command: 4 KiB, more than any file here
ANSWER_BYTES_MAX = 4096


def send(command: Command) -> Exchange:
    """Send ``command`` and collect its whole answer.

    6Cxx: sent again with the right Le, once; the card has done nothing yet (ISO 7816-3). 61xx: the rest is fetched.
    """
    raw = yield bytes(command)
    if raw[-2] == 0x6C and command.le is not None:
        raw = yield bytes(Command(command.cla, command.ins, command.p1, command.p2, command.data, raw[-1] or 256))
    if raw[-2] != 0x61:
        return Response.parse(raw)
    collected = b""
    for _ in range(PIECES_MAX):
        answer = Response.parse(raw)
        collected = (collected + answer.data)[:ANSWER_BYTES_MAX]
        if raw[-2] != 0x61:
            return Response(collected, answer.status)
        wanted = raw[-1]
        raw = yield bytes((0x00, 0xC0, 0x00, 0x00, wanted))
        if len(raw) == 2 and raw[0] == 0x6C:
            raw = yield bytes((0x00, 0xC0, 0x00, 0x00, raw[1]))
    raise CardRefused("get_response", Response.parse(raw).status)


def demand(step: str, command: Command) -> Generator[bytes, bytes, bytes]:
    """``send``, and insist on 9000.

    Raises:
        CardRefused: any other status word.
    """
    answer = yield from send(command)
    if answer.status != OK:
        raise CardRefused(step, answer.status)
    return answer.data
