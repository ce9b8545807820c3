"""Puts whole images in place: two slots, RAUC writes the one that does not run, the boot loader starts the chosen one.

What is on trial stands in one file of the agent's; what was started, on the kernel's command line. Marks are said to
RAUC before the file is written where they may be repeated, and after it where they may not be lost.
"""

from pathlib import Path

import msgspec

from provisioning.rules.releases import IMAGE, Journal, NotAllowed, can_be_taken_back, can_read, read_image_words
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.booted import Booted
from provisioning.terminal.updates.installer import Trial
from provisioning.terminal.updates.rauc import AsksRauc, Mark, RaucFailed, Which
from provisioning.terminal.updates.refused import UpdateRefused
from provisioning.terminal.updates.trust import Target

FILE = "image.json"


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class OnTrial(_Part, frozen=True):
    """``told``: the boot loader knows that it is to be started. ``why``: it is being taken back, and for what."""

    slot: str
    version: str
    previous: str
    told: bool = False
    why: str = ""


class Chosen(_Part, frozen=True):
    """``slot`` is to be started; said in the start ``boot``, so that any later start must be of it. ``written``: sums
    of the bundles that lie whole in a slot. ``fell``: why the last image went back, until one is kept. ``other_bad``:
    the boot loader must still hear that the other slot is."""

    slot: str = ""
    boot: str = ""
    trial: OnTrial | None = None
    written: dict[str, str] = {}
    fell: str = ""
    other_bad: bool = False


def read_chosen(path: Path) -> Chosen:
    """A file that cannot be read chose nothing: what runs is kept. Raises OSError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Chosen)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Chosen()


class ImageInstaller:
    """Implements ``Installer``. ``journal``: the layout that the program which runs now writes."""

    kind = IMAGE
    full_image = True

    def __init__(self, folder: Path, disk: Disk, booted: Booted, rauc: AsksRauc, journal: Journal) -> None:
        self.booted = booted
        self._path, self._disk, self._rauc, self._journal = folder / FILE, disk, rauc, journal
        disk.folder(folder)
        self._chosen = read_chosen(self._path)

    @property
    def fell(self) -> str:
        """Why the last image went back by itself, "" where none did since one was kept."""
        return self._chosen.fell

    @property
    def runs_chosen(self) -> bool:
        """False: the machine must start anew for what was decided."""
        return self._chosen.slot in ("", self.booted.slot)

    def running(self) -> str:
        return self.booted.version

    def unpacked_bytes(self, target: Target) -> int:
        """The slot is there already."""
        return 0

    def has(self, target: Target) -> bool:
        return self._chosen.written.get(self._other) == target.sha256

    def settle(self) -> None:
        """Once at each start, before anything else is asked: is it the start that was chosen? Raises OSError."""
        chosen, here = self._chosen, self.booted
        if not chosen.slot:
            self._put(slot=here.slot, boot=here.boot)
        elif chosen.boot != here.boot and chosen.slot != here.slot:
            if chosen.trial is not None and not chosen.trial.told:  # the power went before the boot loader was told
                self._put(slot=here.slot, boot=here.boot, trial=None)
            else:
                self._fell_back(chosen)
        elif chosen.trial is not None and chosen.trial.slot == here.slot and not chosen.trial.told:
            self._put(trial=msgspec.structs.replace(chosen.trial, told=True))  # it was started: the boot loader knew

    def _fell_back(self, chosen: Chosen) -> None:
        """The boot loader passed the chosen slot over, or was told to before the power went."""
        what = chosen.trial.version if chosen.trial else f"in slot {chosen.slot}"
        fell = f"image {what} did not come up; {self.booted.version} runs"
        if chosen.trial is not None and chosen.trial.why:
            fell = _went_back(chosen.trial)
        written = self._without(chosen.slot)
        self._put(slot=self.booted.slot, boot=self.booted.boot, trial=None, written=written, fell=fell, other_bad=True)

    async def tell_fall_back(self) -> None:
        """Without it the boot loader would try the broken slot again, once the counters of both have run out. Raises
        RaucFailed."""
        if self._chosen.other_bad:
            await self._rauc.mark("bad", "other")
            self._put(other_bad=False)

    async def confirm(self) -> None:
        """What runs, and is kept, came up well once more: its starts are counted from nothing. Raises RaucFailed."""
        if self.trial() is None and self.runs_chosen:
            await self.tell_fall_back()
            await self._rauc.mark("good", "booted")

    async def write(self, file: Path, target: Target) -> None:
        if self.trial() is not None or not self.runs_chosen:
            raise UpdateRefused("on_trial", "another version is on trial")
        if self.has(target):
            return
        try:
            told = await self._rauc.describe(file)
            self._check(told.version, told.description, target)
            self._put(written=self._without(self._other))
            await self._rauc.install(file)
        except RaucFailed as failed:
            raise UpdateRefused("not_installed", str(failed)) from failed
        self._put(written={**self._chosen.written, self._other: target.sha256})

    def _check(self, version: str, description: str, target: Target) -> None:
        if version != target.version:
            raise UpdateRefused("not_a_bundle", "it has another version than was signed")
        try:
            journal = read_image_words(description)
        except NotAllowed as error:
            raise UpdateRefused("not_a_bundle", str(error)) from error
        if not can_be_taken_back(self._journal, journal):
            raise UpdateRefused("no_way_back", "the journal could not be read any more by the version before")
        if not can_read(self._journal, journal):
            raise UpdateRefused("no_way_on", "it cannot read the journal that is here")

    async def switch(self) -> None:
        """The file first: a start of the other slot that nobody knew of would pass for a fall-back of this one."""
        other = self._other
        version = await self._version_in(other)
        trial = OnTrial(slot=other, version=version, previous=self.booted.version)
        self._put(slot=other, boot=self.booted.boot, trial=trial, other_bad=False)
        await self._mark("active", "other")
        self._put(trial=msgspec.structs.replace(trial, told=True))

    async def _version_in(self, slot: str) -> str:
        """As RAUC wrote it there. Raises UpdateRefused: it is nothing whole any more; it is loaded anew when it is
        offered again."""
        try:
            found = (await self._rauc.slots()).get(slot)
        except RaucFailed as failed:
            raise OSError(f"rauc: {failed}") from failed
        if found is None or not found.version:
            self._put(written=self._without(slot))
            raise UpdateRefused("not_installed", f"slot {slot} holds nothing whole")
        return found.version

    def _without(self, slot: str) -> dict[str, str]:
        return {one: sha256 for one, sha256 in self._chosen.written.items() if one != slot}

    def trial(self) -> Trial | None:
        told = self._chosen.trial
        if told is None:
            return None
        here = told.slot == self.booted.slot
        return Trial(told.version, told.previous) if here or self._chosen.boot == self.booted.boot else None

    async def keep(self) -> None:
        await self._mark("good", "booted")
        self._put(slot=self.booted.slot, boot=self.booted.boot, trial=None, fell="")

    async def go_back(self, why: str) -> None:
        """Also where the machine did not start anew yet: then what runs is chosen again."""
        if self._chosen.trial is None:
            return
        told = msgspec.structs.replace(self._chosen.trial, why=why)
        self._put(trial=told)  # a cut between the marks must not lose it
        if told.slot == self.booted.slot:
            await self._mark("active", "other")  # first: between the two the older one is chosen, and may be started
            await self._mark("bad", "booted")
            back = self._other
        else:
            await self._mark("active", "booted")
            await self._mark("bad", "other")
            back = self.booted.slot
        self._put(slot=back, boot=self.booted.boot, trial=None, fell=_went_back(told))

    async def _mark(self, mark: Mark, which: Which) -> None:
        """As the port wants it. Raises OSError."""
        try:
            await self._rauc.mark(mark, which)
        except RaucFailed as failed:
            raise OSError(f"rauc: {failed}") from failed

    @property
    def _other(self) -> str:
        return "B" if self.booted.slot == "A" else "A"

    def _put(self, **changes: object) -> None:
        chosen = msgspec.structs.replace(self._chosen, **changes)
        self._disk.write(self._path, msgspec.json.encode(chosen))
        self._chosen = chosen


def _went_back(trial: OnTrial) -> str:
    return f"image {trial.version} went back: {trial.why}"
