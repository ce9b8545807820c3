"""A city's audit trail as lines of JSON that prove themselves."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from provisioning.fleet.audit import NOTHING_BEFORE, link_of
from provisioning.fleet.schema.audit import AuditRow

NAMES = ("at_ms", "who", "act", "subject", "why", "facts")


class ExportBroken(Exception):
    """It is not whole; the message says where."""


def export(tenant: str) -> Iterator[str]:
    """Each row with its number and link, then the end."""
    seq, link = 0, NOTHING_BEFORE
    for row in AuditRow.select().where(AuditRow.tenant == tenant).order_by(AuditRow.seq).iterator():
        seq, link = row.seq, row.link
        told = {name: getattr(row, name) for name in NAMES}
        yield json.dumps({"seq": seq, **told, "link": link}, ensure_ascii=False) + "\n"
    yield json.dumps({"tenant": tenant, "rows": seq, "link": link}) + "\n"


def proven(tenant: str, lines: Iterable[dict[str, Any]]) -> tuple[int, str]:
    """How many rows, and the link of the last.

    Raises:
        ExportBroken: a row was changed, taken out or added, or the end is missing.
    """
    seq, link, ended = 0, NOTHING_BEFORE, False
    for line in lines:
        if "rows" in line:
            ended = (line.get("tenant"), line["rows"], line.get("link")) == (tenant, seq, link)
            continue
        told = {name: line.get(name) for name in NAMES}
        if ended or line.get("seq") != seq + 1 or link_of(link, tenant, seq + 1, told) != line.get("link"):
            raise ExportBroken(f"broken at row {seq + 1}")
        seq, link = seq + 1, str(line["link"])
    if not ended:
        raise ExportBroken(f"the end is missing after row {seq}")
    return seq, link
