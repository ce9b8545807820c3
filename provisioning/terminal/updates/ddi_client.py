"""Speaks DDI with the fleet, or with a stock hawkBit, by ``HostLink``: reads what is due, tells what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from kiosk.ports import HostLink, HostRefused, OutcomeUnknown
from provisioning.terminal.updates import ddi
from provisioning.terminal.updates.refused import SourceSilent


@dataclass
class DdiClient:
    """``tenant`` and ``terminal_id`` make the path. ``token``: "TargetToken ..." or "GatewayToken ..." of a stock
    server, "" where the certificate proves who we are."""

    link: HostLink
    tenant: str
    terminal_id: str
    token: str = field(default="", repr=False)

    @property
    def _base(self) -> str:
        return f"/{quote(self.tenant, safe='')}/controller/v1/{quote(self.terminal_id, safe='')}"

    async def root(self) -> ddi.Root:
        """Raises UpdateRefused ``not_ddi``; SourceSilent. The same of all below."""
        return ddi.read_root(await self._get(self._base))

    async def deployment(self, link: ddi.Link) -> ddi.DeploymentBase:
        return ddi.read_deployment(await self._get(ddi.path_of(link)))

    async def cancel(self, link: ddi.Link) -> ddi.CancelAction:
        return ddi.read_cancel(await self._get(ddi.path_of(link)))

    async def confirmation(self, link: ddi.Link) -> ddi.Confirmation:
        return ddi.read_confirmation(await self._get(ddi.path_of(link)))

    async def tell(self, told: ddi.Feedback) -> None:
        """Repeating is harmless. An action that the server ended or does not know counts as told."""
        path = f"{self._base}/{told.about}/{quote(told.action, safe='')}/feedback"
        await self._send("POST", path, ddi.feedback_body(told))

    async def tell_attributes(self, attributes: Mapping[str, str]) -> None:
        await self._send("PUT", f"{self._base}/configData", {"mode": "replace", "data": dict(attributes)})

    async def tell_installed(self, name: str, version: str) -> None:
        """What came by a stick, so that the fleet does not send it again."""
        await self._send("PUT", f"{self._base}/installedBase", {"name": name, "version": version})

    async def _get(self, path: str) -> Any:
        try:
            return (await self.link.call("GET", path, headers=self._proof())).body
        except (OutcomeUnknown, HostRefused) as error:
            raise SourceSilent(str(error)) from error

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        try:
            await self.link.call(method, path, body=body, headers=self._proof())
        except HostRefused as error:
            if error.retry_after_s:
                raise SourceSilent(str(error)) from error
            return  # it stands in the link's log; told again it would be refused again
        except OutcomeUnknown as error:
            raise SourceSilent(str(error)) from error

    def _proof(self) -> dict[str, str]:
        return {"Authorization": self.token} if self.token else {}
