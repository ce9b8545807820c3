"""``python -m kiosk doctor``: every slot, host, file and clock with a verdict.

Asks the running kiosk over its control socket; where none runs, it opens the devices itself for a moment.
"""

import json
import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from kiosk.config import Settings
from kiosk.domain.health import Condition
from kiosk.ports import HostLink, HostRefused, OutcomeUnknown
from kiosk.supervisor import Supervisor

FREE_BYTES_MIN = 200 * 1024 * 1024
HOST_S_MAX = 5.0
# Before this software existed no clock can be right.
BUILD = datetime(2026, 11, 1).astimezone()


@dataclass(frozen=True)
class Finding:
    """``verdict``: ok | warn | fail | unknown."""

    name: str
    verdict: str
    why: str = ""


def slot_findings(supervisor: Supervisor) -> list[Finding]:
    verdicts = {
        Condition.READY: "ok",
        Condition.BUSY: "ok",
        Condition.DEGRADED: "warn",
        Condition.UNKNOWN: "unknown",
        Condition.STARTING: "unknown",
    }
    return [
        Finding(
            f"slot {slot.name}",
            verdicts.get(slot.health.condition, "fail"),
            f"{slot.health.condition.value} {slot.health.reason}".strip() + f" ({slot.settings.driver})",
        )
        for slot in supervisor.slots.values()
    ]


async def host_finding(name: str, link: HostLink) -> Finding:
    """An answer of any kind proves line, certificates and host; "refused" is an answer too."""
    try:
        await link.call("GET", "/v1/health", deadline_s=HOST_S_MAX)
    except HostRefused as refusal:
        return Finding(f"host {name}", "ok", f"answers ({refusal.code})")
    except OutcomeUnknown as silence:
        return Finding(f"host {name}", "unknown", silence.why)
    return Finding(f"host {name}", "ok", "answers")


def house_findings(settings: Settings, now: datetime) -> Iterable[Finding]:
    """Files, disk, clock and the profile."""
    for folder in (settings.run_dir, settings.data_dir):
        yield _folder_finding(Path(folder))
    for name, host in settings.hosts.items():
        for path in (host.ca, host.certificate, host.private_key):
            if path and not os.access(path, os.R_OK):
                yield Finding(f"file of host {name}", "fail", f"cannot read {path}")
        if host.private_key and Path(host.private_key).exists():
            loose = stat.S_IMODE(Path(host.private_key).stat().st_mode) & 0o077
            yield Finding(f"key of host {name}", "warn" if loose else "ok", "others can read it" if loose else "")
    yield Finding("clock", "ok" if now > BUILD else "fail", now.isoformat(timespec="seconds"))
    if settings.pin_mode == "B":
        yield Finding("chip PIN", "warn", "mode B: the PIN passes through a short-lived process of this computer")
    else:
        yield Finding("chip PIN", "ok", "mode A: the reader presents the PIN itself")
    if not settings.production:
        yield Finding("profile", "warn", "not a production profile: TEST keys and simulators are accepted")


def _folder_finding(folder: Path) -> Finding:
    if not os.access(folder, os.W_OK):
        return Finding(f"folder {folder}", "fail", "cannot be written")
    free = shutil.disk_usage(folder).free
    enough = free >= FREE_BYTES_MIN
    return Finding(f"folder {folder}", "ok" if enough else "fail", f"{free // 2**20} MiB free")


def as_json(findings: list[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False)


def as_table(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    return "\n".join(f"{one.verdict:8}{one.name:{width + 2}}{one.why}" for one in findings)


def healthy(findings: list[Finding]) -> bool:
    return all(finding.verdict in ("ok", "warn") for finding in findings)
