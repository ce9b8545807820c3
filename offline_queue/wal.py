"""When the write-ahead log is carried into the file: between visits if possible, for it flushes the disk twice more.

SQLite's own rule does it in whichever commit makes the log long. That one would wait three times as long, perhaps while
a device counts the time to its acknowledgement.
"""

import ctypes
from contextlib import suppress

import apsw

from offline_queue.layout import UNDER_WAY

CALM_PAGES = 1000  # SQLite's own measure: from here on, as soon as nothing is under way
PAGES_MAX = 4000  # 8 MB: whatever is under way; a start after a power cut reads all of it (14 ms for 39 MB)


def tend_wal(connection: apsw.Connection) -> None:
    """Carry the log over at quiet moments from now on, and keep its file: writing over it beats growing it."""
    keep = ctypes.c_int(1)
    connection.file_control("main", apsw.SQLITE_FCNTL_PERSIST_WAL, ctypes.addressof(keep))
    connection.set_wal_hook(_after_commit)


def _after_commit(connection: apsw.Connection, name: str, pages: int) -> int:
    if pages >= PAGES_MAX or (pages >= CALM_PAGES and not _under_way(connection)):
        with suppress(apsw.Error):  # the commit is durable all the same, and the next one tries again
            connection.wal_checkpoint(name, apsw.SQLITE_CHECKPOINT_PASSIVE)
    return apsw.SQLITE_OK


def _under_way(connection: apsw.Connection) -> bool:
    return bool(next(iter(connection.execute(UNDER_WAY)))[0])
