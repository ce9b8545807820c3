"""What updates of an emulated terminal by a real fleet have in common.

The fleet's server, nginx and the signed repository are real and on loopback; the terminal enrols, loads over mutual
TLS, RAUC writes through dm-verity, the firmware and GRUB start the slot, and the agent judges.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from image.disk import write_part
from provisioning.fleet.updates.acts import ONLINE_KEY
from provisioning.fleet.updates.keys import file_signer, online_key
from provisioning.fleet.updates.rehearsal import PASSPHRASE, SIGNERS
from provisioning.fleet.web import now_ms
from provisioning.rules.releases import IMAGE as IMAGE_KIND
from simulators.agent_settings import agent_settings
from simulators.fleet.server import FleetPlan
from simulators.kiosk_settings import as_toml, kiosk_settings
from simulators.pki import QEMU_HOST, Pki
from tests.appliance.authority import Signer
from tests.appliance.box import SLOT_A, make_disk_for
from tests.appliance.disks import Built
from tests.appliance.machine import Machine
from tests.appliance.versions import bundle_of, root_of
from tests.fleet.front import ask
from tests.fleet.office import Office as Program
from tests.fleet.office import open_office
from tests.fleet.updates.office import Office

SERIAL, NUMBER = "TEST-UPDATE-1", "T0000009"
BOX = Path("/etc/yikatong")
ENROLLED_S_MAX, UPDATED_S_MAX = 600.0, 1500.0
LOOK_S = 2.0


def write_box(target: Path, plan: FleetPlan) -> Path:
    """A terminal without devices and with hosts that are silent: what matters here is between agent and fleet."""
    (target / "pki").mkdir(parents=True)
    (target / "releases").mkdir()
    for name in ("fleet-ca.pem", "hosts-ca.pem", "terminal.pem", "terminal.key", "staff-ca.pem", "recovery.public.pem"):
        (target / "pki" / name).write_bytes((plan.pki.directory / name).read_bytes())
    (target / "pki" / "documents.public.pem").write_bytes(plan.pki.public("documents").read_bytes())
    shutil.copytree(plan.pki.anchors, target / "pki" / "anchors")
    (target / "releases" / "1.root.json").write_bytes(plan.releases.read_bytes())
    there = Pki(BOX / "pki")
    tree = kiosk_settings(
        run_dir=Path("/run/yikatong"), data_dir=Path("/var/lib/yikatong/journal"), offline_dir=BOX / "offline",
        size_px=(1080, 1920), pin_mode="B", pki=there, slots={},
        host_ports={"social_insurance": 1, "card_platform": 1, "agency": 1}, medical_insurance={},
    )  # fmt: skip
    tree.pop("offline", None)
    tree["agent"] = agent_settings(
        home=Path("/var/lib/yikatong/agent"), serial=SERIAL,
        fleet_url=plan.device_url.replace("127.0.0.1", QEMU_HOST), console_url="", pki=there, logs=(),
        releases=BOX / "releases" / "1.root.json",
    ) | {
        "privileged": "/var/lib/yikatong/wishes", "metered": False, "poll_s_max": 5.0, "gate_s_max": 120.0,
        "update_bytes_per_s": 1 << 30, "log_command": [],
    }  # fmt: skip
    (target / "settings.toml").write_text(as_toml(tree))
    return target


@dataclass
class Ci:
    """A program that offers images and reads what became of them, by the management interface."""

    plan: FleetPlan
    office: Office
    program: Program

    @classmethod
    async def open(cls, plan: FleetPlan) -> "Ci":
        people = {name: file_signer(plan.rehearsal / f"{name}.key", PASSPHRASE) for name in SIGNERS}
        office = Office(plan.folder, now_ms(), people, online_key(plan.folder / "home" / ONLINE_KEY))
        return cls(plan, office, await open_office(plan))

    async def offer(self, version: str, content: bytes) -> None:
        """Signed by two people, uploaded and assigned."""
        self.office.release(version, content, kind=IMAGE_KIND, by=SIGNERS)
        made = await self.program.post("softwaremodules", [{"name": "image", "version": version, "type": "os"}])
        await self.program.upload(made[0]["id"], f"image-{version}.raucb", content)
        told = [{"name": f"s{version}", "version": version, "type": "os", "modules": [{"id": made[0]["id"]}]}]
        (one,) = await self.program.post("distributionsets", told)
        chosen = {"id": one["id"], "type": "forced"}
        await self.program.post(f"targets/{NUMBER}/assignedDS", chosen)

    async def get(self, path: str) -> Any:
        headers = self.program._headers
        answer = await ask(self.plan, "GET", f"/rest/v1/{path}", port=self.plan.console_port, headers=headers)
        return answer.json() if answer.status == 200 else {}

    @property
    def report(self) -> dict[str, Any]:
        """What the terminal told of itself last: its page shows this."""
        with closing(sqlite3.connect(f"file:{self.plan.folder / 'home' / 'fleet.db'}?mode=ro", uri=True)) as database:
            rows = database.execute("select report from terminal_health where report != '' order by seen_ms").fetchall()
        return json.loads(rows[-1][0]) if rows else {}

    @property
    def running(self) -> str:
        """The image's version; "" before it was heard, or where its kiosk does not answer."""
        report = self.report
        healthy = "kiosk" in report.get("versions", {})
        return str(report.get("versions", {}).get("image", "")) if healthy else ""

    async def ended(self) -> list[str]:
        """What was told of the newest action when it ended; empty while it goes on."""
        actions = (await self.get(f"targets/{NUMBER}/actions?sort=id:DESC")).get("content", [])
        if not actions or actions[0]["status"] != "finished":
            return []
        path = f"targets/{NUMBER}/actions/{actions[0]['id']}/status?sort=id:DESC"
        return [word for one in (await self.get(path))["content"][:1] for word in one["messages"]]


async def until_running(ci: Ci, computer: Machine, version: str, limit_s: float) -> None:
    with trio.move_on_after(limit_s):
        while ci.running != version:
            await trio.sleep(LOOK_S)
        return
    raise AssertionError(f"{version} does not run: {ci.report!r}; {computer.serial[-3000:]}")


async def until_ended(ci: Ci, computer: Machine, words: str) -> str:
    """How the newest action ended. ``words``: that must stand in it."""
    with trio.move_on_after(UPDATED_S_MAX):
        while not (told := await ci.ended()):
            await trio.sleep(LOOK_S)
        assert words in " ".join(told), (told, computer.serial[-3000:])
        return " ".join(told)
    raise AssertionError(f"no end: {computer.serial[-3000:]}")


def prepared(image: Built, folder: Path, plan: FleetPlan, signer: Signer) -> Path:
    """The disk of a factory: the first version in slot A, nothing in B, the box's own facts beside."""
    disk = make_disk_for(image.disk, folder / "disk.img", write_box(folder / "box", plan))
    first = root_of(image.root, folder / "1.0.0.img", "1.0.0", signer)
    write_part(disk, SLOT_A, first)
    first.unlink()
    return disk


def made(image: Built, folder: Path, version: str, signer: Signer) -> bytes:
    root = root_of(image.root, folder / f"{version}.img", version, signer, sick=version == "3.0.0")
    return bundle_of(root, signer, folder / "bundles")
