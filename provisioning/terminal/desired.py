"""Settings from the fleet: fetched, judged whole, tried between two residents, and given back if the kiosk is unwell.

Nothing here is done while somebody is served or an act is open, and at every moment either the old or the new settings
are in force (``generations``). A version that was refused is not asked for again until there is another one.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import toml
from msgspec.structs import replace

from kiosk.basics.signed import DOCUMENT_BYTES_MAX, NotTrusted, read_signed
from kiosk.ports import DocumentLink, HostRefused, Log, OutcomeUnknown
from kiosk.settings import credentials
from kiosk.settings.agent_rules import AgentRules
from kiosk.settings.config import ConfigError, Settings, load_settings, sum_of
from provisioning.rules.desired import KIND, Desired, Unfit, difference, laid_over, read_desired, with_bodies
from provisioning.rules.health_gate import OTHERS, Look, Verdict, judge, look_of
from provisioning.terminal.bodies import Bodies
from provisioning.terminal.generations import BODIES, Generations, Refusal, Trial, tree_of
from provisioning.terminal.house import WAITS, House
from provisioning.terminal.toml import as_toml

LOOK_EVERY_S = 1.0
FETCH_S_MAX = 60.0
AGAIN_S = 20.0  # while somebody is being served
WHY_CHARACTERS_MAX = 200
SELF_TEST_S_MAX = 20.0


@dataclass(frozen=True)
class Identity:
    """Who this terminal is to the fleet. ``keys``: of its city, who sign settings and commands."""

    tenant: str
    terminal_id: str
    keys: Mapping[str, Ed25519PublicKey]

    @property
    def base(self) -> str:
        return f"/{self.tenant}/terminal/v1/{self.terminal_id}"


@dataclass
class DesiredState:
    """``local``: the box's own facts, TOML. ``program``: version of this software; what it refused, another may take.
    ``told``: names of settings that changed, for the record."""

    identity: Identity
    link: DocumentLink
    generations: Generations
    bodies: Bodies
    house: House
    local: Path
    rules: AgentRules
    now: Callable[[], datetime]
    log: Log
    program: str = ""
    epoch: int = 0
    trust: int = 0  # number of the list that says whom it believes
    look_every_s: float = LOOK_EVERY_S
    trouble: str = ""
    changed: list[str] = field(default_factory=list)
    _local_due: bool = False  # the box's own facts are others than those in force
    _turned: str = field(default="", init=False)  # the generation that came into force while no kiosk was heard
    _ready: tuple[str, Desired | None] | None = field(default=None, init=False)  # waits for its moment

    @property
    def version(self) -> int:
        return self.generations.in_force()[1]

    async def settle(self) -> None:
        """At the agent's start, before anything waits for the kiosk: settings are there, and where no kiosk runs they
        follow local facts that an installer changed. A kiosk that starts beside us is not heard yet: ``have_it_read``.
        """
        generations = self.generations
        if generations.trial is not None:
            return  # whatever the link says is whole; ``resume`` judges it
        desired = generations.desired()
        try:
            text = self._composed(desired)
            if text == generations.text(generations.name()):
                return
            self._check(text, desired)
        except Unfit as unfit:
            self.trouble = f"local facts: {unfit}"[:WHY_CHARACTERS_MAX]
            return
        before = generations.name()
        if not before:  # whoever runs reads the local facts themselves, and these say the same
            generations.turn_to(generations.stage(text, desired))
        elif await self.house.health() is None and not await self.house.rest(citys=False):
            self._turned = generations.stage(text, desired)
            generations.turn_to(self._turned)
            generations.prune()
        else:
            self._local_due = True

    async def have_it_read(self) -> None:
        """After ``settle``, for as long as it takes: a kiosk that started beside us may have read what was in force a
        moment before. It starts anew as soon as it serves nobody; once, because one that then reads something else has
        its settings from elsewhere."""
        began = ""
        while self._turned and self._turned == self.generations.name() and self.generations.trial is None:
            health = await self.house.health()
            if health is not None:
                read = health["settings"] == sum_of(self.generations.text(self._turned).encode())
                if read or began not in ("", health["life"]):
                    return
                began = health["life"]
                await self.house.start_anew()
            await trio.sleep(self.look_every_s)

    async def resume(self) -> None:
        """Finish what the power interrupted."""
        trial = self.generations.trial
        if trial is not None and self.generations.name() == (trial.old if trial.back else trial.new):
            await self._try(trial)
        elif trial is not None and trial.back:
            await self._give_back(trial, trial.back)
        elif trial is not None:  # the link was not turned yet
            self.generations.drop(trial.new)
            self.generations.end_trial()

    async def follow(self, wanted: int) -> float | None:
        """``wanted``: the version that the poll told. Seconds after which to try again; None: nothing is left to do.

        Raises:
            OSError: this machine's disk.
        """
        if self._local_due:
            desired = self.generations.desired()
            again_s = await self._apply(self._composed(desired), desired)
            if again_s is not None:
                return again_s
            self._local_due = False
        epoch, version = self.generations.in_force()
        if wanted == version and epoch == self.epoch:
            self.trouble = ""
            return None
        if wanted <= version and epoch == self.epoch:
            self.trouble = "the fleet wants older settings than those in force"
            return None
        refused = self.generations.refusal
        if refused and (refused.epoch, refused.version, refused.sum) == (self.epoch, wanted, self._sum()):
            self.trouble = refused.why
            return None
        try:
            if self._ready and self._ready[1] and self._is_wanted(self._ready[1], wanted):
                return await self._apply(*self._ready)
            return await self._bring()
        except (HostRefused, OutcomeUnknown) as silence:
            self.trouble = f"settings do not come: {silence}"[:WHY_CHARACTERS_MAX]
            return AGAIN_S
        except (Unfit, NotTrusted) as unfit:
            self._refuse(wanted, str(unfit))
            return None

    def _is_wanted(self, ready: Desired, wanted: int) -> bool:
        """Not those of an epoch that has ended meanwhile, whose numbers come again."""
        return (ready.epoch, ready.version) == (self.epoch, wanted)

    async def _bring(self) -> float | None:
        part = await self.link.fetch_part(
            f"{self.identity.base}/desired", bytes_max=DOCUMENT_BYTES_MAX, deadline_s=FETCH_S_MAX
        )
        if part is None or not part.ended:
            raise Unfit("there are no settings at the fleet")
        desired = self._judged(part.content)
        for body in self.generations.missing(desired.bodies):
            await self.bodies.fetch(body)
        return await self._apply(self._composed(desired), desired)

    def _judged(self, wire: bytes) -> Desired:
        """Raises Unfit, NotTrusted."""
        who = self.identity
        in_force = self.generations.in_force()
        since = in_force if in_force[0] == self.epoch else (self.epoch, 0)
        return read_desired(read_signed(wire, KIND, who.keys), who.tenant, who.terminal_id, since, self.now())

    def _composed(self, desired: Desired | None) -> str:
        """The settings file: what the city says over what the box says, and the certificate for hosts that only the
        city names.

        Raises:
            Unfit: the local facts cannot be read, or hold what no settings file can.
        """
        try:
            tree = dict(tree_of(self.local.read_text()))
            if desired is None:
                return as_toml(tree)
            known = set(tree.get("hosts", {}))
            files = {body.name: str(self.generations.body(body.sha256)) for body in desired.bodies}
            tree = laid_over(tree, with_bodies(desired.settings, files, f"{self.generations.current}/{BODIES}"))
            for name, host in tree.get("hosts", {}).items():
                if name not in known:
                    host.update(self._way())
            return as_toml(tree)
        except (OSError, ValueError) as error:
            raise Unfit(f"{type(error).__name__}: {error}") from None

    def _way(self) -> dict[str, str]:
        rules = self.rules
        return {"ca": rules.host_ca, "certificate": rules.host_certificate, "private_key": rules.host_private_key}

    async def _apply(self, text: str, desired: Desired | None) -> float | None:
        """Raises Unfit: the kiosk would not start with it."""
        self._check(text, desired)
        generations = self.generations
        before = generations.text(generations.name())
        if not before or _mean_the_same(text, before):  # nothing reads it yet, or only files beside it are others
            generations.turn_to(generations.stage(text, desired))
            generations.prune()
            self.trouble = ""
            return None
        hosts, health = _changed_hosts(before, text), await self.house.health()
        if health is not None and health["somebody"]:
            return self._wait(WAITS["serving"], text, desired)
        # Before the kiosk rests: a self-test takes seconds, and a rest lasts no longer than it must.
        seen = look_of(health, await self._self_test(hosts)) if health else None
        waits = await self.house.rest(citys=desired is not None and desired != generations.desired())
        if waits:
            return self._wait(waits, text, desired)
        name, self._ready = generations.stage(text, desired), None
        trial = Trial(
            old=generations.name(),
            new=name,
            epoch=self.epoch,
            version=desired.version if desired else 0,
            before=seen,
            hosts=tuple(hosts),
        )
        self.changed = difference(tree_of(before), tree_of(text))
        generations.begin_trial(trial)
        generations.turn_to(name)
        await self._try(trial)
        return None

    def _wait(self, why: str, text: str, desired: Desired | None) -> float:
        """Until the moment comes they lie ready, and are not fetched again."""
        self._ready = (text, desired)
        self.trouble = f"settings wait: {why}"
        return AGAIN_S

    def _check(self, text: str, desired: Desired | None) -> None:
        """The kiosk's own reading, and that what it speaks of is there. Raises Unfit."""
        folder = self.generations.folder
        folder.mkdir(parents=True, exist_ok=True)
        look = folder / "look.toml"
        look.write_text(text)
        try:
            settings = load_settings(look)
        except ConfigError as error:
            raise Unfit(str(error).removeprefix(f"{look}: ")) from None
        finally:
            look.unlink(missing_ok=True)
        if desired is not None and settings.terminal.terminal_id != self.identity.terminal_id:
            raise Unfit("it gives this terminal another number")
        if desired is not None and self.generations.missing(desired.bodies):
            raise Unfit("a file of these settings is not here")
        for name, host in settings.hosts.items():
            for file in (host.ca, host.certificate, host.private_key):
                if not file or not (credentials.is_one(file) or Path(file).exists()):
                    raise Unfit(f"host {name}: a certificate, key or authority is not here")

    async def _try(self, trial: Trial) -> None:
        """The link is turned; have the kiosk read it, and judge. Called again after a power cut, it begins again."""
        await self.house.start_anew()
        verdict, why = await self._gate(trial)
        if trial.back:
            self._ended(trial, trial.back)
        elif verdict is Verdict.GOOD:
            self.log("settings_in_force", version=str(trial.version))
            self.trouble = ""
            self.generations.end_trial()
            self.generations.prune()
        else:
            await self._give_back(trial, why)

    async def _give_back(self, trial: Trial, why: str) -> None:
        self.log("settings_given_back", version=str(trial.version), why=why)
        back = Trial(old=trial.old, new=trial.new, epoch=trial.epoch, version=trial.version, hosts=(), back=why)
        self.generations.begin_trial(back)
        if trial.old:
            self.generations.turn_to(trial.old)
        await self._try(back)

    def _ended(self, trial: Trial, why: str) -> None:
        """Order matters: a cut between the two only refuses twice."""
        self._refuse(trial.version, f"the kiosk was not well with them: {why}")
        self.generations.end_trial()
        self.generations.drop(trial.new)

    async def _gate(self, trial: Trial) -> tuple[Verdict, str]:
        began, hosts = trio.current_time(), frozenset(trial.hosts)
        wanted = sum_of(self.generations.text(self.generations.name()).encode())
        while True:
            health = await self.house.health()
            tested = await self._self_test(trial.hosts) if health and trial.hosts else None
            look: Look | None = look_of(health, tested) if health else None
            waited = trio.current_time() - began
            verdict, why = judge(trial.before, look, waited, self.rules.gate_s_max, hosts, wanted)
            if verdict is not Verdict.WAIT:
                return verdict, why
            if why == OTHERS:  # it was on its way up when the link turned, or somebody came before it ended
                began = trio.current_time() if health and health["somebody"] else began
                await self.house.start_anew()
            await trio.sleep(self.look_every_s)

    async def _self_test(self, hosts: "tuple[str, ...] | list[str]") -> list[list[str]] | None:
        """Only where a host's settings change: it asks every host and device, which takes seconds."""
        if not hosts:
            return None
        with trio.move_on_after(SELF_TEST_S_MAX):
            return await self.house.doctor()
        return None

    def _refuse(self, version: int, why: str) -> None:
        self.trouble = why[:WHY_CHARACTERS_MAX]
        self.log("settings_refused", version=str(version), why=self.trouble)
        refusal = Refusal(epoch=self.epoch, version=version, why=self.trouble, sum=self._sum())
        self.generations.refuse(refusal)

    def _sum(self) -> str:
        """Of what else decides whether a version is taken."""
        try:
            facts = self.local.read_bytes()
        except OSError:
            facts = b""
        return hashlib.sha256(facts + f"{self.program} {self.trust}".encode()).hexdigest()[:16]


def _mean_the_same(text: str, before: str) -> bool:
    """Whether a kiosk that runs would do anything else with them: what is said may be what was so by itself."""
    one, other = (replace(toml.decode(each, type=Settings), sum="") for each in (text, before))
    return one == other


def _changed_hosts(before: str, after: str) -> list[str]:
    old, new = (tree_of(text).get("hosts", {}) for text in (before, after))
    return sorted(name for name in new if name in old and new[name] != old[name])
