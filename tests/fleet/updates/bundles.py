"""Application bundles of two small files, and bundles that are wrong in one way each."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from random import Random
from typing import Any

from provisioning.rules.releases import MANIFEST, Journal

JOURNAL = Journal(layout=3, back_to=1)
# The last does not pack, so that a bundle is a few pieces long.
FILES = {
    "kiosk/__init__.py": b"",
    "kiosk/app.py": b"print('serving')\n",
    "kiosk/noise.json": Random(7).randbytes(20_000),
}


def manifest(version: str, files: dict[str, bytes] = FILES, **changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "kind": "application",
        "version": version,
        "journal": {"layout": JOURNAL.layout, "back_to": JOURNAL.back_to},
        "needs": {"python": "3.11", "libraries": {}},
        "files": {name: {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)} for name, raw in files.items()},
        **changes,
    }


def bundle(version: str, **changes: Any) -> bytes:
    return packed({MANIFEST: json.dumps(manifest(version, **changes)).encode(), **FILES})


def packed(contents: dict[str, bytes], spoil: Callable[[tarfile.TarFile], None] = lambda tar: None) -> bytes:
    """``spoil`` adds members that have no place in a bundle."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, raw in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
        spoil(tar)
    return gzip.compress(plain.getvalue(), 1, mtime=0)
