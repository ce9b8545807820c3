"""The faults of a thermal printer, and its answers to DLE EOT: questions 1 to 4 of Epson, and 20 of kiosk printers."""

from collections.abc import Set

FAULTS = (
    "paper_out",
    "paper_low",
    "cover_open",  # says so
    "cover_open_mute",  # answers nothing while it is open
    "cutter",  # jams at the next cut, stays so until DLE ENQ
    "head_hot",
    "offline",  # for no given reason; flapping is putting it on and off
    "silent",  # prints, and never answers
    "off",  # no power: takes nothing, answers nothing
    "no_fence",  # does not know GS r and GS ( H
    "presenter_stuck",  # takes nothing back
)
STOPPING = {"paper_out", "cover_open", "cover_open_mute", "head_hot", "offline", "cutter_jam"}


def status(said: Set[str], question: int) -> int:
    """One byte; ``question`` 1 to 4."""
    bits = {
        1: 0x08 * bool(said & STOPPING),
        2: 0x04 * ("cover_open" in said)
        | 0x20 * ("paper_out" in said)
        | 0x40 * bool(said & {"head_hot", "cutter_jam"}),
        3: 0x08 * ("cutter_jam" in said) | 0x40 * ("head_hot" in said),
        4: 0x0C * bool(said & {"paper_low", "paper_out"}) | 0x60 * ("paper_out" in said),
    }
    return 0x12 | bits[question]


def full_status(said: Set[str], *, paper_waiting: bool) -> bytes:
    """Six bytes, as the manuals of Custom and Pyramid have them: 10 0F, paper, user, recoverable, unrecoverable."""
    paper = 0x01 * ("paper_out" in said) | 0x04 * bool(said & {"paper_low", "paper_out"}) | 0x20 * paper_waiting
    user = 0x03 * ("cover_open" in said)
    return bytes((0x10, 0x0F, paper, user, 0x01 * ("head_hot" in said), 0x01 * ("cutter_jam" in said)))
