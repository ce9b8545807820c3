"""One round of the agent with its updates: tell what is owed, ask what is due, go on with what is under way.

TUF decides what, DDI only when: an artifact is installed if two people signed a file with its hash, whoever offers it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import trio

from provisioning.rules.releases import APPLICATION, IMAGE
from provisioning.terminal.updates import ddi
from provisioning.terminal.updates.ddi_client import DdiClient
from provisioning.terminal.updates.flow import Flow, update_of
from provisioning.terminal.updates.refused import SourceSilent, UpdateRefused
from provisioning.terminal.updates.state import PAST_RECALL, Update
from provisioning.terminal.updates.trust import Source, Target, Trust

# What servers call the part of a chunk: our fleet's words, and the types that a stock hawkBit is set up with.
PARTS = {APPLICATION: APPLICATION, "bApp": APPLICATION, IMAGE: IMAGE, "os": IMAGE}
REFRESHED_EVERY_S = 3600.0  # while an update waits for its hour


@dataclass
class Updates:
    """``base``: path of the TUF repository, from where a file is loaded that DDI has no link for. ``attributes``: what
    a stock server may know of this terminal (configData)."""

    client: DdiClient
    trust: Trust
    source: Source
    flow: Flow
    base: str = "/tuf"
    attributes: Callable[[], Mapping[str, str]] = dict
    _refreshed_at: float = field(default=float("-inf"), init=False)

    @property
    def busy(self) -> bool:
        """Whether a round is worth it though the poll named no action: something is under way, or owed."""
        state = self.flow.now_state
        return state.update is not None or bool(state.untold) or state.by_stick is not None

    async def tend(self) -> float | None:
        """Seconds after which the server wants to be asked again, None where it said nothing.

        Raises:
            OSError: this machine's disk. Everything else is in the record and in what is owed.
        """
        sleep_s = None
        try:
            await self._tell()
            root = await self.client.root()
            sleep_s = root.sleep_s
            await self._hear(root)
        except SourceSilent:
            pass  # a dark place goes on with what it has: the night does not wait for the line
        except UpdateRefused as refused:
            self.flow.note("refused", "", f"{refused.code}: {refused}")
        await self.flow.go_on(self.trust.kept)
        try:
            await self._tell()
        except SourceSilent:
            return sleep_s
        return sleep_s

    async def _hear(self, root: ddi.Root) -> None:
        links = root.links
        if "configData" in links:
            await self.client.tell_attributes(self.attributes())
        if "cancelAction" in links:
            await self._cancel(await self.client.cancel(links["cancelAction"]))
        elif "deploymentBase" in links:
            await self._deployment(await self.client.deployment(links["deploymentBase"]))
        elif "confirmationBase" in links:
            await self._confirm(links["confirmationBase"])

    async def _deployment(self, base: ddi.DeploymentBase) -> None:
        state, wish = self.flow.now_state, base.deployment
        ended = state.ended(base.id)
        if ended is not None:
            self._say(base.id, "closed", ended.finished, ended.details)
            return
        if state.update is not None and state.update.action == base.id:
            self._take_wishes(state.update, wish)
            await self._refresh_again(state.update)
            return
        if state.update is not None and state.update.step in PAST_RECALL:
            return  # one at a time; it is offered again
        told = _unknown(base)
        try:
            target, path = await self._judged(wish)
        except UpdateRefused as refused:
            self.flow.refuse(told, refused)
            return
        update = update_of(target, base.id, path)
        self.flow.begin(_with_wishes(update, wish))

    async def _judged(self, wish: ddi.Deployment) -> tuple[Target, str]:
        """What is offered, as two people signed it, and where it is loaded from.

        Raises:
            UpdateRefused: they did not, or nothing here installs it, or the repository cannot be trusted. SourceSilent.
        """
        kind, artifact = ddi.the_one(wish, PARTS)
        allowed = await self.trust.refresh(self.source)
        self._refreshed_at = trio.current_time()
        target = allowed.with_hash(artifact.hashes["sha256"].lower())
        if target is None:
            raise UpdateRefused("not_listed", f"{artifact.filename}: two people did not sign it"[:200])
        if (target.kind, target.bytes_long) != (kind, artifact.size):
            raise UpdateRefused("not_listed", f"{artifact.filename}: signed as something else"[:200])
        link = artifact.links.get("download") or artifact.links.get("download-http")
        return target, ddi.path_of(link) if link else f"{self.base}/{target.path}"

    async def _refresh_again(self, update: Update) -> None:
        """Before its hour comes: what was withdrawn meanwhile is not installed."""
        if update.step in PAST_RECALL or trio.current_time() - self._refreshed_at < REFRESHED_EVERY_S:
            return
        try:
            await self.trust.refresh(self.source)
            self._refreshed_at = trio.current_time()
        except UpdateRefused as refused:
            self.flow.refuse(update, refused)

    def _take_wishes(self, update: Update, wish: ddi.Deployment) -> None:
        changed = _with_wishes(update, wish)
        if changed != update:
            self.flow.state.change(update=changed)

    async def _cancel(self, cancel: ddi.CancelAction) -> None:
        """Called off unless what runs may be the new version already, or is."""
        stop, state = cancel.cancel_action.stop_id, self.flow.now_state
        ended = state.ended(stop)
        mine = state.update is not None and state.update.action == stop
        if (mine and not self.flow.recall()) or (ended is not None and ended.finished == "success"):
            words = "it is installed already" if ended else "it is being installed"
            self._say(cancel.id, "rejected", "failure", [words], "cancelAction")
        else:
            self._say(cancel.id, "closed", "success", ["called off"], "cancelAction")

    async def _confirm(self, link: ddi.Link) -> None:
        """Nobody stands at a terminal to consent; it consents to what it could install, so that the owner of the server
        sees before the hour what would be refused."""
        confirmation = await self.client.confirmation(link)
        try:
            await self._judged(confirmation.confirmation)
            self._say(confirmation.id, "confirmed", "none", [], "confirmationBase")
        except UpdateRefused as refused:
            self._say(confirmation.id, "denied", "none", [f"{refused.code}: {refused}"], "confirmationBase")

    def _say(
        self, action: str, execution: str, finished: ddi.Finished, details: list[str], about: str = "deploymentBase"
    ) -> None:
        at_ms = int(self.flow.house.now().timestamp() * 1000)
        told = ddi.Feedback(
            about=about, action=action, execution=execution, finished=finished, details=details, at_ms=at_ms
        )
        owed = {(one.about, one.action, one.execution) for one in self.flow.now_state.untold}
        if (about, action, execution) not in owed:
            self.flow.state.put(self.flow.now_state.with_feedback(told))

    async def _tell(self) -> None:
        """In their order, each struck off once it was heard. Raises SourceSilent."""
        while self.flow.now_state.untold:
            await self.client.tell(self.flow.now_state.untold[0])
            self.flow.state.change(untold=self.flow.now_state.untold[1:])
        by_stick = self.flow.now_state.by_stick
        if by_stick is not None:
            await self.client.tell_installed(by_stick.name, by_stick.version)
            self.flow.state.change(by_stick=None)


def _with_wishes(update: Update, wish: ddi.Deployment) -> Update:
    wishes = {"load": wish.download, "install": wish.update, "maintenance": wish.maintenance_window}
    return msgspec.structs.replace(update, **wishes, over_metered=wish.over_metered)


def _unknown(base: ddi.DeploymentBase) -> Update:
    """Of an action that may be refused before anything of it is known."""
    chunk = base.deployment.chunks[0] if base.deployment.chunks else None
    name, version = (chunk.name[:80], chunk.version[:40]) if chunk else ("", "")
    return Update(action=base.id, step="load", name=name, kind="", version=version, sha256="", bytes_long=0)
