"""What the agency gives this world's terminal: a policy and a hotlist of lost cards for the time without a line, and
a list of stolen PSAMs."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.hosts.agency_documents import agencys_maker
from simulators.hosts.hotlist import HotlistMaker
from simulators.pki import Pki
from simulators.worlds.world import World

OFFLINE_DOCUMENTS = "offline"
POLICY, HOTLIST_KEY = "offline-policy.json", "hotlist.key"
MANIFEST, BODY = "hotlist.json", "hotlist-{version}.bin"
PSAM_LIST, STOLEN = "psam-blocklist.json", ("0" * 19 + "1",)  # a PSAM that no reader of this world holds
SECRET = b"TEST hotlist hashing, no secret."
NOT_LISTED = ("normal",)  # states of a card that anybody may use

# What a province might allow a village: small sums, three days, no line needed. Amounts in fen.
POLICY_FACTS: dict[str, Any] = {
    "age_s_max": 72 * 3600,
    "hotlist_age_s_max": 24 * 3600,
    "unsent_fen_max": 2_000_000,
    "unsent_count_max": 500,
    "acts": {
        "loss_report": {"act_fen_max": 0, "card_day_fen_max": 0, "card_day_count_max": 3},
        "contribution": {"act_fen_max": 200_000, "card_day_fen_max": 400_000, "card_day_count_max": 4},
        "settlement_order": {"act_fen_max": 100_000, "card_day_fen_max": 200_000, "card_day_count_max": 4},
    },
}


def publish(pki: Pki, world: World, folder: Path, now: datetime, facts: dict[str, Any] = POLICY_FACTS) -> None:
    """Write both as provisioning would. A day of validity beyond the policy's own ages."""
    folder.mkdir(parents=True, exist_ok=True)
    maker = agencys_maker(pki, timedelta(days=30))
    version = int(now.timestamp())  # newer at every start, as the agency's are
    hotlist = HotlistMaker(maker, SECRET)
    listed = [card.number for card in world.cards if card.platform_state not in NOT_LISTED]
    manifest, body = hotlist.full([hotlist.hashed(number) for number in listed], version, now)
    (folder / HOTLIST_KEY).write_bytes(SECRET)
    (folder / BODY.format(version=version)).write_bytes(body)
    (folder / MANIFEST).write_bytes(manifest)
    (folder / POLICY).write_bytes(maker.signed("offline_policy", version, now, facts))
    (folder / PSAM_LIST).write_bytes(maker.signed("psam_blocklist", version, now, {"serials": list(STOLEN)}))
