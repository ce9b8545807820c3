"""The client against a server in hawkBit's shape over real TLS: its media type, its tokens, its words for errors."""

from pathlib import Path

import pytest
import trio

from kiosk.hosts.link import HttpsHostLink
from kiosk.ports import HostRefused
from kiosk.settings.config import HostSettings
from provisioning.terminal.updates.ddi import Feedback
from provisioning.terminal.updates.ddi_client import DdiClient
from provisioning.terminal.updates.refused import SourceSilent
from simulators.alone.hawkbit import serve_hawkbit
from simulators.hosts.hawkbit import Hawkbit
from simulators.pki import make_pki
from simulators.waiting import free_port
from tests.fleet.updates.stand import TERMINAL, TOKEN


async def test_stock_server_over_tls(tmp_path: Path) -> None:
    """What is due is read, pieces come, an action that ended counts as told, and a wrong token is silence."""
    pki, port = make_pki(tmp_path / "pki"), free_port()
    hawkbit = Hawkbit(base=f"https://127.0.0.1:{port}", target_token=TOKEN.removeprefix("TargetToken "))
    action = hawkbit.offer(TERMINAL, "1.0.0", "application-1.0.0.tar.gz", b"0123456789")
    shown = {"certificate": str(pki.terminal_certificate), "private_key": str(pki.terminal_key)}
    settings = HostSettings(url=hawkbit.base, ca=str(pki.hosts_ca), **shown)
    link = HttpsHostLink("fleet", settings, lambda event, **more: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_hawkbit, hawkbit, port, pki)
        client = DdiClient(link, "DEFAULT", TERMINAL, TOKEN)
        root = await client.root()
        base = await client.deployment(root.links["deploymentBase"])
        (artifact,) = base.deployment.chunks[0].artifacts
        path = artifact.links["download"].href.removeprefix(hawkbit.base)
        part = await link.fetch_part(path, first=4, bytes_max=3, etag='"1"', headers={"Authorization": TOKEN})
        assert part is not None and (part.content, part.first, part.total_bytes) == (b"456", 4, 10)
        ended = Feedback(about="deploymentBase", action=action.id, execution="closed", finished="success")
        await client.tell(ended)
        await client.tell(ended)  # 410: it is over there, too
        assert action.told == ["closed"]
        with pytest.raises(HostRefused, match="notActive"):
            await link.call("POST", f"/DEFAULT/controller/v1/{TERMINAL}/deploymentBase/1/feedback", body={},
                            headers={"Authorization": TOKEN})  # fmt: skip
        with pytest.raises(SourceSilent):
            await DdiClient(link, "DEFAULT", TERMINAL, "TargetToken wrong").root()
        link.close()
        nursery.cancel_scope.cancel()
