"""Searching a process's memory and the files of a run for a PIN, in every form that it could have taken."""

import base64
from pathlib import Path

REGION_BYTES_MAX = 256 << 20


def forms(pin: str) -> dict[str, bytes]:
    """ASCII, UTF-16 both ways, BCD, hex of the ASCII in both cases, base64 at its three alignments (the inner part)."""
    ascii_form = pin.encode("ascii")
    found = {
        "ascii": ascii_form,
        "utf-16-le": pin.encode("utf-16-le"),
        "utf-16-be": pin.encode("utf-16-be"),
        "bcd": bytes.fromhex(pin + "F" * (len(pin) % 2)),
        "hex": ascii_form.hex().encode(),
    }
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + ascii_form + b"\0" * 3)
        first, last = -(-lead * 8 // 6), (lead + len(ascii_form)) * 8 // 6
        found[f"base64+{lead}"] = encoded[first:last]
    return found


def in_memory(pid: int, pin: str) -> list[str]:
    """Forms of ``pin`` found in the writable memory of a process; needs the right to read it."""
    wanted, found = forms(pin), set()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(edge, 16) for edge in span.split("-"))
            if end - start > REGION_BYTES_MAX:
                raise AssertionError(f"memory region too large to search: {line}")
            memory.seek(start)
            try:
                content = memory.read(end - start)
            except OSError:
                continue  # device mappings such as [vvar]
            found |= {name for name, form in wanted.items() if form in content}
    return sorted(found)


def in_files(directory: Path, pin: str) -> list[str]:
    """``path: form`` of every file below ``directory`` that holds the PIN."""
    wanted = forms(pin)
    return [
        f"{path}: {name}"
        for path in sorted(directory.rglob("*"))
        if path.is_file()
        for name, form in wanted.items()
        if form in path.read_bytes()
    ]
