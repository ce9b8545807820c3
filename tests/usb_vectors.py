"""The packets of tests/vectors/usb.txt, for tests of the counterparts at a computer's USB."""

from pathlib import Path

LINES = (Path(__file__).parent / "vectors" / "usb.txt").read_text(encoding="utf-8").splitlines()


def usb_vectors(tag: str) -> list[tuple[bytes, str]]:
    """(packet, note), in the order of the file."""
    found = []
    for line in LINES:
        if line.startswith(f"[{tag}] "):
            text, _, note = line[len(tag) + 3 :].partition(" ; ")
            found.append((bytes.fromhex(text), note))
    assert found, "no vectors"
    return found
