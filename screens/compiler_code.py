"""The code of Mesa's shader compiler, once the first pictures stand.

The software renderer compiles its few shaders with LLVM, whose code is 100 MB; 45 MB of it stay mapped, and nobody runs
them again. They are let go. The pages are the library's file: the kernel may take them away at any time, and brings
back from its cache what is called after all, so nothing is lost and a new shader costs a millisecond more.
"""

import ctypes
import mmap
from functools import cache
from pathlib import Path

LIBRARY = "/libLLVM"
_MAPS = Path("/proc/self/maps")
Span = tuple[int, int]


def let_go(library: str = LIBRARY) -> None:
    """Unmap the pages of a library's code; what it calls data stays, since that has been written to."""
    for start, end in _code(library):
        _libc().madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def spans(maps: str, library: str) -> list[Span]:
    """Where a library's code lies, from the text of /proc/self/maps (proc(5)): read and execute, never written."""
    found = []
    for line in maps.splitlines():
        place, rights, _offset, _device, _inode, *path = line.split(maxsplit=5)
        if rights == "r-xp" and path and library in path[0]:
            start, _, end = place.partition("-")
            found.append((int(start, 16), int(end, 16)))
    return found


@cache
def _code(library: str) -> list[Span]:
    """A library that is not there when this is first asked is not there for good."""
    return spans(_MAPS.read_text(), library)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
