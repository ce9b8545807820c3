"""Other durable queues, doing the same work: run by a Python that has them installed, and nothing of ours.

    python queue_peers.py NAME FOLDER RECORD_BYTES

Reads one JSON line a question, ``["put", 60]`` or ``["take", 60]`` (get and acknowledge), and answers the microseconds
of each. Each peer in the mode in which what it says is durable: SQLite at synchronous FULL, LMDB as it is by default.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable

Put = Callable[[bytes], object]
Take = Callable[[], object]


def ack_queue(folder: str) -> tuple[Put, Take]:
    """persist-queue's SQLiteAckQueue: at least once, as ours."""
    queue = importlib.import_module("persistqueue").SQLiteAckQueue(folder, auto_commit=True)

    def take() -> None:
        queue.ack(queue.get())

    return queue.put, take


def sqlite_queue(folder: str) -> tuple[Put, Take]:
    """persist-queue's SQLiteQueue: deletes when it gives, so that what was given may be lost."""
    queue = importlib.import_module("persistqueue").SQLiteQueue(folder, auto_commit=True)
    return queue.put, queue.get


def huey(folder: str) -> tuple[Put, Take]:
    """Deletes when it gives."""
    storage = importlib.import_module("huey.storage").SqliteStorage(filename=f"{folder}/huey.db", fsync=True)
    return storage.enqueue, storage.dequeue


def litequeue(folder: str) -> tuple[Put, Take]:
    """Its own mode is not durable: FULL by hand."""
    queue = importlib.import_module("litequeue").LiteQueue(f"{folder}/lite.db")
    queue.conn.execute("pragma synchronous = full")

    def take() -> None:
        queue.done(queue.pop().message_id)

    return lambda record: queue.put(record.decode("latin-1")), take


def lmdb(folder: str) -> tuple[Put, Take]:
    """No queue, but what one would be made of: keys that grow, each act a synchronous transaction."""
    environment = importlib.import_module("lmdb").open(folder, map_size=1 << 30)
    numbers = iter(range(1 << 40))

    def put(record: bytes) -> None:
        with environment.begin(write=True) as act:
            act.put(next(numbers).to_bytes(8, "big"), record)

    def take() -> None:
        with environment.begin() as look:
            cursor = look.cursor()
            cursor.first()
            key = cursor.key()
        with environment.begin(write=True) as act:
            act.delete(key)

    return put, take


PEERS = {"ack_queue": ack_queue, "sqlite_queue": sqlite_queue, "huey": huey, "litequeue": litequeue, "lmdb": lmdb}
KEEP_UNTIL_ACKNOWLEDGED = ("ack_queue", "litequeue", "lmdb")


def main() -> None:
    name, folder, size = sys.argv[1:]
    put, take = PEERS[name](folder)
    record = os.urandom(int(size))
    print("ready", flush=True)
    acts: dict[str, Callable[[], object]] = {"put": lambda: put(record), "take": take}
    for line in sys.stdin:
        act, count = json.loads(line)
        print(json.dumps([_microseconds(acts[act]) for _ in range(count)]), flush=True)


def _microseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e6


if __name__ == "__main__":
    main()
