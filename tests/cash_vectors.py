"""The vectors of tests/vectors for tests that judge a codec and its simulator by them."""

from pathlib import Path

VECTORS = Path(__file__).parent / "vectors"


def vectors(tag: str) -> list[tuple[bytes, str]]:
    """(frame, note), in the order of the file."""
    found = []
    for line in (VECTORS / f"{tag}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"[{tag}] "):
            text, _, note = line[len(tag) + 3 :].partition(" ; ")
            found.append((bytes.fromhex(text), note))
    assert found, "no vectors"
    return found
