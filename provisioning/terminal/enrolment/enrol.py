"""From a bare terminal to a known one: key, stick or patience, certificate, welcome. Every step can be done again."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.ports import HostLink, HostRefused, Log, OutcomeUnknown, PlainLink
from provisioning.rules.enrolment import Welcome, qr_content
from provisioning.rules.network import Network, NetworkUnfit, check
from provisioning.rules.network_files import OwnCertificate, files_of
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.claim import Brought, ClaimRefused, judge, read_kept, read_stick
from provisioning.terminal.enrolment.est import ENROL, ask_certificate
from provisioning.terminal.enrolment.identity import Identity, Known, NotOurs
from provisioning.terminal.enrolment.standing import Record, Said, Standing
from provisioning.terminal.network import Networks
from provisioning.terminal.trust import TRUST_FOLDER
from provisioning.token_key import TokenError

CLAIM, WELCOME, AUTHORITY = "claim.json", "welcome.json", "fleet-ca.pem"
TRIAL_S_MAX = 180.0  # a switch with 802.1X, a modem that registers: then the fleet answers or never will
STICK_S_MAX = 20.0  # a stick of the slow kind
KEY_REFUSED = "refused"  # by a person, for good
AGAIN_S = 10.0  # after no answer
REFUSED_AGAIN_S = 60.0  # somebody may decide otherwise


class FleetLink(HostLink, PlainLink, Protocol):
    """One line to the fleet, that shows whatever certificate it was opened with."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Address:
    """Where the fleet is. ``ca``: path of the authority that its server is verified by."""

    url: str
    ca: str


OpenLink = Callable[[Address, Known | None], FleetLink]


@dataclass(frozen=True)
class Image:
    """What the image brings. ``claim_keys``: of people, whose signatures a stick may carry."""

    fleet: Address
    claim_keys: Mapping[str, Ed25519PublicKey]
    console_url: str = ""
    stick: Path | None = None


@dataclass
class Enrolment:
    """``surely``: how late it surely is (``rules/time.py``). ``open_link`` with None shows the certificate that the key
    signed itself, else the one that the fleet gave. ``standing`` is what the glass tells, changed in place."""

    identity: Identity
    networks: Networks
    image: Image
    disk: Disk
    open_link: OpenLink
    surely: Callable[[], datetime]
    log: Log
    standing: Standing = field(default_factory=Standing)
    _trial_began_s: float | None = None
    _passed_over: set[bytes] = field(default_factory=set)  # claims and networks that led nowhere, until the next start

    @property
    def record(self) -> Record:
        return Record(self.identity.folder, self.disk, self.surely)

    async def become_known(self) -> tuple[Known, Welcome]:
        """Until the fleet has said yes, however long that takes. Raises OSError: our own disk."""
        await self.prepare()
        while True:
            found = self.known()
            if found is not None:
                return found
            await trio.sleep(await self.step())

    async def prepare(self) -> None:
        """Make the key, tell the glass, go on with a network on trial. Raises OSError."""
        await self._make_ready()
        await self.networks.resume()

    def known(self) -> tuple[Known, Welcome] | None:
        """None: not yet."""
        known, welcome = self.identity.known(), self.welcome()
        if known is None or welcome is None:
            return None
        if (welcome.tenant, welcome.terminal_id) != (known.tenant, known.terminal_id):
            return None
        self.standing.said, self.standing.why = "known", ""
        return known, welcome

    def welcome(self) -> Welcome | None:
        """What the fleet told last; None: nothing yet."""
        try:
            return msgspec.json.decode((self.identity.folder / WELCOME).read_bytes(), type=Welcome)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def address(self) -> Address:
        """Of the fleet: the image's, or the one that a claim brought."""
        claim = self._claim()
        if claim is None or not claim.claim.fleet_url:
            return self.image.fleet
        return Address(claim.claim.fleet_url, str(self.identity.folder / AUTHORITY))

    async def _make_ready(self) -> None:
        while True:
            try:
                await trio.to_thread.run_sync(self.identity.make_ready)
                break
            except TokenError as error:
                self._note("no_key", "no_key", str(error))
                await trio.sleep(AGAIN_S)
        self.standing.serial, self.standing.fingerprint = self.identity.serial, self.identity.fingerprint
        self.standing.qr = qr_content(self.identity.serial, self.identity.fingerprint, self.image.console_url)

    async def step(self) -> float:
        """Ask once; seconds until the next time. Raises OSError."""
        known = self.identity.known()
        if known is None:
            await self._look_at_stick()
        link = self.open_link(self.address(), known)
        try:
            return await (self._ask_welcome(link, known) if known else self._ask_certificate(link))
        except HostRefused as refused:
            self._reached()
            self._note("refused", "refused", refused.code)
            return max(refused.retry_after_s, REFUSED_AGAIN_S)
        except OutcomeUnknown as silent:
            await self._not_reached()
            return max(silent.retry_after_s, AGAIN_S)
        except (TokenError, NotOurs) as error:
            self._note("no_key" if isinstance(error, TokenError) else "refused", "certificate_refused", str(error))
            return REFUSED_AGAIN_S
        finally:
            link.close()

    async def _ask_certificate(self, link: FleetLink) -> float:
        claim = self._claim()
        if claim is not None and not await self._claim_holds(link, claim):
            return 0.0
        request = await trio.to_thread.run_sync(self.identity.request)
        given = await ask_certificate(link, ENROL, request)
        self._reached()
        if isinstance(given, float):
            self.standing.said = "waiting"
            return given
        for name in (WELCOME, TRUST_FOLDER):  # of an earlier life: the keys may be another city's
            self.disk.remove(self.identity.folder / name)
        await trio.to_thread.run_sync(self.identity.keep, given)
        self._note("waiting", "certificate")
        return 0.0

    async def _ask_welcome(self, link: FleetLink, known: Known) -> float:
        answer = await link.call("GET", f"/{known.tenant}/terminal/v1/{known.terminal_id}/welcome")
        self._reached()
        try:
            welcome = msgspec.convert(answer.body, Welcome)
        except msgspec.ValidationError:
            raise OutcomeUnknown("fleet", "a welcome that cannot be read") from None
        if (welcome.tenant, welcome.terminal_id) != (known.tenant, known.terminal_id):
            raise NotOurs("a welcome for another terminal")
        if welcome.network is not None and await self._try_out(welcome.network):
            return 0.0  # kept once the fleet was reached with it
        self.disk.write(self.identity.folder / WELCOME, msgspec.json.encode(welcome))
        return 0.0

    # --- stick ---

    async def _look_at_stick(self) -> None:
        if self.image.stick is None:
            return
        try:
            with trio.move_on_after(STICK_S_MAX):
                read = partial(read_stick, self.image.stick, self.identity.serial)
                wire = await trio.to_thread.run_sync(read, abandon_on_cancel=True)
                if wire is not None and digest(wire) not in self._passed_over and not self._is_kept(wire):
                    await self._take(self._judged(wire))
        except ClaimRefused as refused:
            self._note("claim_refused", "claim_refused", refused.code)

    def _judged(self, wire: bytes) -> Brought:
        try:
            return judge(wire, self.identity.serial, self.image.claim_keys, self.surely())
        except ClaimRefused:
            self._passed_over.add(digest(wire))
            raise

    async def _take(self, brought: Brought) -> None:
        """The network goes before the claim: cut off between, the stick is read again and nothing is lost."""
        if brought.claim.network is not None:
            await self._try_out(brought.claim.network)
        if brought.claim.fleet_ca:
            self.disk.write(self.identity.folder / AUTHORITY, brought.claim.fleet_ca.encode())
        self.disk.write(self.identity.folder / CLAIM, brought.wire)
        self._note("trying_network" if self.networks.trial else "waiting", "claim_taken", brought.claim.claim)

    async def _claim_holds(self, link: FleetLink, claim: Brought) -> bool:
        """What the fleet says of it; a claim that it refuses is put away, and a phone may still confirm."""
        try:
            await link.call("POST", "/enrolment/v1/claim", body=claim.wire)
        except HostRefused as refused:
            self._reached()
            if refused.code == KEY_REFUSED and self.identity.token is None:
                await self._begin_anew()
            else:
                self._put_away(claim.wire)
                self._note("claim_refused", "claim_refused", refused.code)
            return False
        return True

    async def _begin_anew(self) -> None:
        """A person refused our key, and two others signed a claim for this box later: it brings that with a new key. A
        key in a token is an installer's to exchange."""
        await trio.to_thread.run_sync(self.identity.forget)
        await self._make_ready()
        self._note("waiting", "new_key", "")

    def _put_away(self, wire: bytes) -> None:
        self._passed_over.add(digest(wire))
        self.disk.remove(self.identity.folder / CLAIM)

    def _claim(self) -> Brought | None:
        """The one that was taken, unless the fleet refused it."""
        try:
            return read_kept((self.identity.folder / CLAIM).read_bytes())
        except FileNotFoundError:
            return None

    def _is_kept(self, wire: bytes) -> bool:
        path = self.identity.folder / CLAIM
        return path.exists() and path.read_bytes() == wire

    # --- network ---

    async def _try_out(self, network: Network) -> bool:
        """Whether another network is in force now than before."""
        token = self.identity.token
        key = token.uri() if token else str(self.identity.key_file)
        own = OwnCertificate(str(self.identity.certificate), key, token.module if token else "")
        files = files_of(network, own, str(self.networks.current))
        told = _sum(files)
        if told in self._passed_over or self.networks.holds(files):
            return False
        try:
            check(network)
        except NetworkUnfit as unfit:
            self._passed_over.add(told)
            self._note("refused", "network_refused", str(unfit))
            return False
        self._trial_began_s = trio.current_time()
        await self.networks.try_out(files)
        return True

    def _reached(self) -> None:
        if self.networks.trial is not None:
            self.networks.keep()
            self._note(self.standing.said, "network_kept")

    async def _not_reached(self) -> None:
        """No answer. A network on trial gets its time; then the last good one returns, and with it the last address."""
        trial = self.networks.trial
        self.standing.said = "trying_network" if trial else "no_answer"
        if trial is None:
            return
        if self._trial_began_s is None:
            self._trial_began_s = trio.current_time()
        if trio.current_time() - self._trial_began_s < TRIAL_S_MAX:
            return
        self._trial_began_s = None
        self._passed_over.add(_sum(self.networks.files(trial.new)))
        await self.networks.go_back()
        claim = self._claim()
        if claim is not None:
            self._put_away(claim.wire)
        self._note("no_answer", "network_not_kept")

    def _note(self, said: Said, what: str, why: str = "") -> None:
        self.standing.said, self.standing.why = said, why if said in ("refused", "claim_refused") else ""
        self.log("enrolment", step=what, why=why[:100])
        self.record.note(what, why)


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _sum(files: Mapping[str, str]) -> bytes:
    return digest(msgspec.json.encode(files, order="sorted"))
