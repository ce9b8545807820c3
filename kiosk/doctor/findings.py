"""``python -m kiosk doctor``: every slot, host, file and clock with a verdict.

Asks the running kiosk over its control socket; where none runs, it opens the devices itself for a moment.
"""

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.control import ControlSilent, FleetWord, ask_control, ask_fleet, ask_second_copy, forward_path
from kiosk.basics.signed import NotTrusted
from kiosk.devices.sams import FILE as SAM_FILE
from kiosk.devices.sams import SLOT as SAM_SLOT
from kiosk.devices.sams import read_sam_list
from kiosk.devices.supervisor import Supervisor
from kiosk.domain.health import Condition
from kiosk.domain.ledger import SILENT
from kiosk.hosts.bank.connect import TRACE_FILE
from kiosk.hosts.bank.terminal import TraceCounterBroken, read_traces
from kiosk.hosts.medical_insurance.connect import COUNTER, FORWARDERS_COUNTER
from kiosk.hosts.medical_insurance.message_id import MessageIdsUnusable, read_counter, second_of
from kiosk.money.means import NO_DEBIT_READER, NO_PAD, no_bank_card_here
from kiosk.ports import DeviceFault, HostLink, HostRefused, OutcomeUnknown, PinPad
from kiosk.settings.config import Settings
from kiosk.staff.typed_keys import Newest, keys_in_doubt, places_in_doubt

FREE_BYTES_MIN = 200 * 1024 * 1024
HOST_S_MAX = 5.0
PAD_S_MAX = 8.0
DAYS_LEFT_MIN = 30  # of a certificate, before staff are warned
BANK = "bank"  # the one host behind tls:// without HTTP
TEST_MARK = "TEST "  # begins the names of the demo's certificates
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


class BankLine(Protocol):
    """The way to the bank: connecting proves line and certificates, and asks nothing."""

    def connected(self) -> AbstractAsyncContextManager[object]: ...


async def bank_finding(line: BankLine) -> Finding:
    """The bank speaks no HTTP: that a connection stands is all that can be seen without an act."""
    try:
        with trio.move_on_after(HOST_S_MAX):
            async with line.connected():
                return Finding("host bank", "ok", "the line stands")
    except HostRefused as refusal:
        return Finding("host bank", "unknown", refusal.code)
    return Finding("host bank", "unknown", "no connection in time")


async def pad_finding(supervisor: Supervisor) -> Finding:
    """Whether the pad refuses to decrypt under its PIN key (pins-and-keys 4). One that answers may see no bank PIN."""
    name = "PIN key of the pad"
    try:
        pad: PinPad = supervisor.device("pin_pad")
        with trio.move_on_after(PAD_S_MAX):
            if await pad.answers_forbidden_decrypt():
                return Finding(name, "fail", "the pad decrypts under its PIN key: no bank PIN may be asked")
            return Finding(name, "ok", "never decrypts")
    except DeviceFault as fault:
        if fault.health.reason == "bad_parameter":  # what a pad says of a key that it does not hold
            return Finding(name, "warn", "no PIN key is loaded, so no bank PIN can be asked")
        return Finding(name, "unknown", f"not tried: {fault.health.reason or fault.health.condition.value}")
    return Finding(name, "unknown", "not tried: the pad is busy")


async def copies_findings(settings: Settings) -> list[Finding]:
    """Where the journal is beside this board."""
    return [*await ledger_findings(settings), *await second_medium_findings(settings)]


async def fleet_findings(settings: Settings) -> list[Finding]:
    """Whether the people who run this terminal from afar still hear it, and it them."""
    if not settings.agent.home:
        return []
    word = await ask_fleet(settings.run_dir)
    if not word.enrolled:
        return [Finding("fleet", "unknown" if word == FleetWord() else "warn", f"not enrolled: {word.trouble}")]
    heard = f"heard at {word.heard}, settings {word.settings} in force"
    return [Finding("fleet", "warn" if word.trouble else "ok", f"{heard}; {word.trouble}".removesuffix("; "))]


async def ledger_findings(settings: Settings) -> list[Finding]:
    """Whether each ledger takes this board's rows: another board waits until it is registered (docs/recovery.md)."""
    name = "records at the agency"
    if "agency_ledger" not in settings.hosts and not settings.agent.ledger:
        return []
    try:
        told = await ask_control(forward_path(settings.run_dir), "ledgers")
    except ControlSilent:
        return [Finding(name, "unknown", "only the forwarder knows, and it does not answer")]
    return [_ledger_finding(f"records at the {one['ledger']}", one) for one in told["ledgers"]]


def _ledger_finding(name: str, told: dict[str, Any]) -> Finding:
    if told["disagrees"]:
        where = f" at row {told['disagrees_at']}" if told["disagrees_at"] else ""
        return Finding(name, "fail", f"refused{where}: {told['disagrees']}")
    return Finding(name, "ok", f"the rows up to {told['up_to']} are kept")


async def second_medium_findings(settings: Settings) -> list[Finding]:
    """A dead board must not take the only copy along (money-rules 25); on the journal's own disk it would."""
    name, folder = "second medium", settings.journal.second_medium
    if not folder:
        return []
    copy = await ask_second_copy(settings.run_dir)
    if copy.why == SILENT:
        return [Finding(name, "unknown", "only the forwarder knows, and it does not answer")]
    why = copy.why or ("" if Path(folder).is_dir() else "missing")  # the forwarder looks twice a minute
    if why:
        return [Finding(name, "fail", f"{why}; the rows up to {copy.up_to} are on it")]
    if Path(folder).stat().st_dev == Path(settings.data_dir).stat().st_dev:
        return [Finding(name, "warn", "on the same disk as the journal: it would be lost with it")]
    return [Finding(name, "ok", f"the rows up to {copy.up_to} are on it")]


def bank_card_findings(settings: Settings, supervisor: Supervisor) -> list[Finding]:
    """Whether a bank card can pay at a terminal that names a bank: that takes a reader that opens the card's bank
    application, and a pad beside it for the bank PIN, which a reader's own pad never takes (PIN mode A)."""
    if BANK not in settings.hosts:
        return []
    name = "bank card"
    try:
        why = no_bank_card_here(settings, supervisor.device("card_reader"))
    except DeviceFault as fault:
        return [Finding(name, "unknown", f"no card reader: {fault.health.reason or fault.health.condition.value}")]
    words = {
        NO_PAD: "cannot pay: no slot pin_pad, and a bank PIN is never asked at the card reader",
        NO_DEBIT_READER: "cannot pay: this reader passes no commands to the card (ldt33: icc_device)",
    }
    return [Finding(name, "warn", words[why]) if why else Finding(name, "ok", "can pay")]


def blocklist_findings(settings: Settings, keys: Mapping[str, Ed25519PublicKey], now: datetime) -> Iterator[Finding]:
    """Of the agency's list of PSAMs that must not be used any more (pins-and-keys 13)."""
    if SAM_SLOT not in settings.slots:
        return
    name, folder = "list of blocked PSAMs", settings.offline.documents
    try:
        found = read_sam_list(Path(folder) / SAM_FILE, keys)
    except FileNotFoundError:
        yield Finding(name, "warn", "none: a stolen PSAM would be used here")
    except (OSError, NotTrusted) as error:
        yield Finding(name, "fail", f"cannot be used, so no PSAM is: {error}")
    else:
        late = found.expires_at <= now
        words = f"version {found.version}, {len(found.serials)} blocked" + (", and it is out of date" if late else "")
        yield Finding(name, "warn" if late else "ok", words)


def key_findings(settings: Settings, journal: Newest) -> Iterator[Finding]:
    """Keys of the pad in doubt, each with who ends it. Typed ones are not used meanwhile (ADR 54)."""
    name = "keys of the pad"
    doubtful = keys_in_doubt(journal, settings.typed_keys) & settings.typed_keys.keys()
    places = places_in_doubt(journal)
    for key in sorted(doubtful):
        why = f"{key} is in doubt and not used: two of its custodians type both parts and confirm the check value"
        yield Finding(name, "fail", why)
    for place in sorted(places):
        why = f"place {place} may hold another key than was sent: a key officer sends its block again"
        yield Finding(name, "warn", why)
    if settings.typed_keys and not doubtful and not places:
        yield Finding(name, "ok", "none is in doubt")


def counter_findings(settings: Settings, trace: tuple[str, str] | None, message_id: str) -> Iterator[Finding]:
    """Of the numbers that must never repeat (money-rules 4). ``trace`` (batch, number) and ``message_id``: the newest
    that the journal knows. A bank whose counter is older is not spoken to; message ids go on after the journal's."""
    folder = Path(settings.data_dir)
    if BANK in settings.hosts:
        yield Finding("trace numbers of the bank", *_traces(folder / TRACE_FILE, trace))
    if "medical_insurance" in settings.hosts:
        yield Finding("message ids", *_message_ids(folder / COUNTER, message_id))
        yield Finding("message ids of the forwarder", *_message_ids(folder / FORWARDERS_COUNTER, ""))


def _traces(path: Path, newest: tuple[str, str] | None) -> tuple[str, str]:
    try:
        kept = read_traces(path)
    except TraceCounterBroken:
        return "fail", f"{path} cannot be read: no bank act"
    if kept is None and newest is None:
        return "ok", "none used yet"
    if kept is None or (newest and kept.is_behind(*newest)):
        number = newest[1] if newest else ""
        return "fail", f"{path} is older than the journal, which knows {number}: put the newer file there; no bank act"
    return "ok", f"batch {kept.batch}, {kept.used} used"


def _message_ids(path: Path, newest: str) -> tuple[str, str]:
    try:
        kept = read_counter(path)
    except (MessageIdsUnusable, OSError):
        return "fail", f"{path} cannot be read: nothing is settled"
    if second_of(newest) > (kept or ("", 0))[0]:
        return "warn", f"{path} is older than the journal; the next one comes after the journal's"
    return "ok", f"last used at {kept[0]}" if kept else "none used yet"


def certificate_findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every certificate this terminal shows or trusts: in force, and in production none that is marked TEST."""
    files = {
        f"{what} of host {name}": Path(path)
        for name, host in settings.hosts.items()
        for what, path in (("authority", host.ca), ("certificate", host.certificate))
        if path
    }
    anchors = sorted(Path(settings.seals.anchors).glob("*.pem")) if settings.seals.anchors else []
    if not anchors:
        yield Finding("seals", "fail", "no authority to trust: no certificate will be printed")
    files |= {f"authority of seals {path.stem}": path for path in anchors}
    for name, path in files.items():
        yield _certificate_finding(name, path, now, settings.production)


def _certificate_finding(name: str, path: Path, now: datetime, production: bool) -> Finding:
    from cryptography import x509  # not needed by a kiosk that merely runs
    from cryptography.x509.oid import NameOID

    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        return Finding(name, "fail", f"cannot be read: {type(error).__name__}")
    names = [
        str(one.value) for each in certificates for one in each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    if production and any(one.startswith(TEST_MARK) for one in names):
        return Finding(name, "fail", "marked TEST: production refuses it")
    if any(each.not_valid_before_utc > now for each in certificates):
        return Finding(name, "fail", "not valid yet: look at the clock")
    ends = min(each.not_valid_after_utc for each in certificates)
    days = (ends - now).days
    verdict = "fail" if ends <= now else "warn" if days < DAYS_LEFT_MIN else "ok"
    return Finding(name, verdict, f"until {ends:%Y-%m-%d}")


def production_refusals(settings: Settings, now: datetime) -> list[Finding]:
    """Why a terminal with ``production = true`` must not start. Devices are judged when they answer: see Supervisor."""
    if not settings.production:
        return []
    found = [*certificate_findings(settings, now)]
    found += [
        Finding(f"host {name}", "fail", "its address is not encrypted")
        for name, host in settings.hosts.items()
        if not host.url.startswith("tls://" if name == BANK else "https://")
    ]
    return [finding for finding in found if finding.verdict == "fail"]


def house_findings(settings: Settings, now: datetime) -> Iterable[Finding]:
    """Files, disk, clock and the profile."""
    for folder in (settings.run_dir, settings.data_dir):
        yield _folder_finding(Path(folder))
    yield disk_finding(Path(settings.data_dir))
    for name, host in settings.hosts.items():
        for path in (host.ca, host.certificate, host.private_key):
            if path and not os.access(path, os.R_OK):
                yield Finding(f"file of host {name}", "fail", f"cannot read {path}")
        if host.private_key and Path(host.private_key).exists():
            loose = stat.S_IMODE(Path(host.private_key).stat().st_mode) & 0o077
            yield Finding(f"key of host {name}", "warn" if loose else "ok", "others can read it" if loose else "")
    yield Finding("clock", "ok" if now > BUILD else "fail", now.isoformat(timespec="seconds"))
    yield from certificate_findings(settings, now)
    if settings.pin_mode == "B":
        yield Finding("chip PIN", "warn", "mode B: the PIN passes through a short-lived process of this computer")
    else:
        yield Finding("chip PIN", "ok", "mode A: the reader presents the PIN itself, and judges new ones")
    if not settings.production:
        yield Finding("profile", "warn", "not a production profile: TEST keys and simulators are accepted")


def _folder_finding(folder: Path) -> Finding:
    if not os.access(folder, os.W_OK):
        return Finding(f"folder {folder}", "fail", "cannot be written")
    free = shutil.disk_usage(folder).free
    enough = free >= FREE_BYTES_MIN
    return Finding(f"folder {folder}", "ok" if enough else "fail", f"{free // 2**20} MiB free")


def disk_finding(folder: Path, kernel: Path = Path("/sys")) -> Finding:
    """Whether a disk that is carried away can be read: by what the kernel says of the device below ``folder``.

    dm-crypt names itself CRYPT-... in dm/uuid (cryptsetup, libdevmapper); LVM and the like may lie above it.
    """
    name = "disk below the journal"
    try:
        number = folder.stat().st_dev
        device = (kernel / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:
        return Finding(name, "warn", "on no disk that the kernel names, as in a container: perhaps not encrypted")
    if any(_is_encrypted(one) for one in (device, *device.glob("slaves/*"))):
        return Finding(name, "ok", "encrypted")
    return Finding(name, "warn", "not encrypted, as on a board without TPM: whoever takes the disk can read it")


def _is_encrypted(device: Path) -> bool:
    try:
        return (device / "dm" / "uuid").read_text().startswith("CRYPT-")
    except OSError:
        return False


def as_json(findings: list[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False)


def as_table(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    return "\n".join(f"{one.verdict:8}{one.name:{width + 2}}{one.why}" for one in findings)


def healthy(findings: list[Finding]) -> bool:
    return all(finding.verdict in ("ok", "warn") for finding in findings)
