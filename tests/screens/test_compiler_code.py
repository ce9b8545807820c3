"""What only the start needed is given back, and still works when it is called again."""

import ctypes
from pathlib import Path

from screens.compiler_code import let_go, spans

# Of a kiosk's /proc/self/maps (proc(5)), shortened.
MAPS = """\
7fbb79000000-7fbb7f77c000 r-xp 00000000 fe:00 339086                     /usr/lib/x86_64-linux-gnu/libLLVM-15.so.1
7fbb7f77d000-7fbb7ff9b000 r--p 0677c000 fe:00 339086                     /usr/lib/x86_64-linux-gnu/libLLVM-15.so.1
7fbb80290000-7fbb812da000 r-xp 00090000 fe:00 5816321                    /usr/lib/x86_64-linux-gnu/dri/swrast_dri.so
7fbb6e004000-7fbb6e7fd000 rw-p 00000000 00:00 0
"""


def resident_kb(library: str) -> int:
    """How much of a library's code is mapped to pages now."""
    here, total = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            here = library in line and " r-xp " in line
        elif here and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


def test_only_code_is_meant() -> None:
    """Of a library's mappings the one that is executed and never written; of other libraries none."""
    assert spans(MAPS, "/libLLVM") == [(0x7FBB79000000, 0x7FBB7F77C000)]
    assert spans(MAPS, "/libnothing") == []


def test_code_that_was_let_go_runs_again() -> None:
    """Fewer pages are mapped afterwards, and a call brings back what it needs."""
    sqlite = ctypes.CDLL("libsqlite3.so.0")
    sqlite.sqlite3_libversion.restype = ctypes.c_char_p
    before = sqlite.sqlite3_libversion()
    mapped = resident_kb("/libsqlite3")
    let_go("/libsqlite3")
    assert resident_kb("/libsqlite3") < mapped
    assert sqlite.sqlite3_libversion() == before
