"""The settings file that a kiosk in this world gets: as an installer would write it, only with our ports."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from simulators.hosts.contributions import GRADES_FEN
from simulators.hosts.medical_insurance import SIGN_ON_MISSING
from simulators.hosts.medical_insurance_signing import TEST_ID, TEST_SECRET
from simulators.offline_documents import HOTLIST_KEY
from simulators.pki import Pki
from simulators.worlds.world import World

VOICES = Path(__file__).parents[1] / ".setup" / "voices"  # made by set-up; without it the player reads by itself
# What documents in docs/hosts/ promise of a host.
PROMISED: dict[str, dict[str, Any]] = {
    "card_platform": {"batch_items_max": 50, "remembers_keys_days": 1826},
    "hospital": {"receipt_records": True},
    "social_insurance": {"receipt_records": True},
}
VILLAGE_PX = 1280  # a wide panel is the 10.1" of a village terminal, a high one the 21.5" of a hall


def kiosk_settings(
    *,
    run_dir: Path,
    data_dir: Path,
    offline_dir: Path,
    size_px: tuple[int, int],
    pin_mode: str,
    pki: Pki,
    slots: Mapping[str, Mapping[str, Any]],
    host_ports: Mapping[str, int],
    medical_insurance: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole tree. ``slots``: slot -> driver's options, with the driver's name under ``driver``."""
    width, height = size_px
    wide = profile_of(size_px) == "village"
    return {
        "run_dir": str(run_dir),
        "data_dir": str(data_dir),
        "pin_mode": pin_mode,
        "voice_dir": str(VOICES) if VOICES.is_dir() else "",
        "panel": {
            "width_px": width,
            "height_px": height,
            "mm_per_px": 0.170 * VILLAGE_PX / width if wide else 0.248 * 1080 / width,
            "screen_bottom_mm": 750 if wide else 900,
        },
        "terminal": {"profile": profile_of(size_px), "headset": False},
        "seals": {"anchors": str(pki.anchors)},
        "staff": {"anchor": str(pki.staff_ca)},
        "agency_keys": {
            "recovery": str(pki.public("recovery")),
            "documents": {"agency": str(pki.public("documents"))},
        },
        "offline": {
            "documents": str(offline_dir),
            "hotlist_key": str(offline_dir / HOTLIST_KEY),
            "has_rtc": True,
        },
        "contributions": {
            "year": datetime.now().astimezone().year,
            "pension_grades_fen": list(GRADES_FEN["resident_pension"]),
            "medical_grades_fen": list(GRADES_FEN["resident_medical"]),
        },
        "slots": {
            slot: {"driver": options["driver"], "options": {k: v for k, v in options.items() if k != "driver"}}
            for slot, options in slots.items()
        },
        "hosts": {
            name: {
                "url": f"https://127.0.0.1:{port}",
                "ca": str(pki.hosts_ca),
                "certificate": str(pki.terminal_certificate),
                "private_key": str(pki.terminal_key),
                **PROMISED.get(name, {}),
            }
            for name, port in host_ports.items()
        },
        "medical_insurance": dict(medical_insurance),
    }


def profile_of(size_px: tuple[int, int]) -> str:
    return "village" if size_px[0] > size_px[1] else "hall"


def typed_key_settings(world: World) -> dict[str, Any]:
    """The bank's master key, whose custodians all of this world's staff are; none where they are fewer than two."""
    custodians = [one.staff_id for one in world.staff]
    if len(custodians) < 2:
        return {}
    return {"bank_master": {"domain": "bank", "master": 0, "custodians": custodians}}


def medical_insurance_settings(world: World) -> dict[str, Any]:
    """The hospital of this world in the national interface, signing by gateway headers with TEST values."""
    return {
        "institution_code": world.hospital.code,
        "institution_name": world.hospital.name,
        "place": world.city,
        "signing": "gateway",
        "signing_id": TEST_ID,
        "signing_secret": TEST_SECRET,
        "sign_on_codes": [SIGN_ON_MISSING],
    }


def as_toml(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """TOML of nested tables whose leaves are strings, numbers and booleans.

    Strings are written as JSON writes them: for these a subset of TOML's basic strings (TOML 1.0, "String").
    """
    leaves = [f"{key} = {json.dumps(leaf)}" for key, leaf in tree.items() if not isinstance(leaf, Mapping)]
    head = [f"[{'.'.join(path)}]"] if path and (leaves or not tree) else []
    tables = [as_toml(table, (*path, key)) for key, table in tree.items() if isinstance(table, Mapping)]
    return "\n".join([*head, *leaves, *tables]) + ("\n" if not path else "")
