"""Updates that a terminal refuses: bundles that are no bundles, offers that are no releases, files that are others."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rules.releases import MANIFEST, NotAllowed, check_path, newer, read_manifest
from provisioning.terminal.disk import Disk
from provisioning.terminal.updates.bundle import check_needs, unpack
from provisioning.terminal.updates.ddi import read_deployment, read_root
from provisioning.terminal.updates.refused import UpdateRefused
from provisioning.terminal.updates.tend import REFRESHED_EVERY_S
from simulators.hosts.hawkbit import Action
from tests.fleet.updates.bundles import FILES, JOURNAL, bundle, manifest, packed
from tests.fleet.updates.stand import TERMINAL, Terminal

NAME = "application-1.0.0.tar.gz"


def member(
    name: str, kind: bytes = tarfile.REGTYPE, to: str = "", raw: bytes = b"x"
) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        one = tarfile.TarInfo(name)
        one.type, one.linkname, one.size = kind, to, len(raw) if kind == tarfile.REGTYPE else 0
        tar.addfile(one, io.BytesIO(raw))

    return add


def listing(files: dict[str, bytes]) -> bytes:
    return json.dumps(manifest("1.0.0", files)).encode()


GOOD = {MANIFEST: listing(FILES), **FILES}
WRONG: dict[str, bytes] = {
    "cut off": bundle("1.0.0")[:-900],
    "not gzip": b"PK\x03\x04 not a bundle",
    "empty": b"",
    "no manifest": packed(FILES),
    "manifest not first": packed({**FILES, MANIFEST: listing(FILES)}),
    "manifest is no JSON": packed({MANIFEST: b"{", **FILES}),
    "a need that is not understood": packed({MANIFEST: json.dumps(manifest("1.0.0", moon="full")).encode(), **FILES}),
    "another format": packed({MANIFEST: json.dumps(manifest("1.0.0", format=2)).encode(), **FILES}),
    "a file too few": packed({MANIFEST: listing(FILES)}),
    "a file too many": packed(GOOD, member("kiosk/more.py")),
    "a file twice": packed(GOOD, member("kiosk/__init__.py", raw=b"")),
    "a file that is other": packed({**GOOD, "kiosk/app.py": b"print('s3rving')\n"}),
    "a symbolic link": packed({MANIFEST: listing({"kiosk/a": b""})}, member("kiosk/a", tarfile.SYMTYPE, "/etc/shadow")),
    "a hard link": packed({MANIFEST: listing({"kiosk/a": b""})}, member("kiosk/a", tarfile.LNKTYPE, "/etc/shadow")),
    "a device": packed({MANIFEST: listing({"kiosk/a": b""})}, member("kiosk/a", tarfile.CHRTYPE)),
    "a folder": packed({MANIFEST: listing({"kiosk/a": b""})}, member("kiosk/a", tarfile.DIRTYPE)),
    "a path that climbs": packed({MANIFEST: listing({"../kiosk": b"x"}), "../kiosk": b"x"}),
    "an absolute path": packed({MANIFEST: listing({"/etc/cron.d/x": b"x"}), "/etc/cron.d/x": b"x"}),
    "a hidden path": packed({MANIFEST: listing({".bashrc": b"x"}), ".bashrc": b"x"}),
}


@pytest.mark.parametrize("what", WRONG)
def test_refused_bundle(tmp_path: Path, what: str) -> None:
    """A signed file that is not a bundle to the letter is refused, and leaves nothing outside its folder."""
    file, into = tmp_path / "bundle", tmp_path / "inside" / "b"
    file.write_bytes(WRONG[what])
    with pytest.raises(UpdateRefused) as refused:
        unpack(file, into, Disk(), lambda manifest: None)
    assert refused.value.code == "not_a_bundle"
    assert {path.name for path in tmp_path.iterdir()} <= {"bundle", "inside"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"needs": {"python": "3.13"}}, "needs_image"),
        ({"needs": {"python": "3.11", "libraries": {"trio": "99.0"}}}, "needs_image"),
        ({"needs": {"python": "3.11", "libraries": {"no-such-library": "1"}}}, "needs_image"),
        ({"journal": {"layout": 9, "back_to": 8}}, "no_way_back"),
        ({"journal": {"layout": 0, "back_to": 0}}, "not_a_bundle"),
    ],
)
async def test_refused_needs(terminal: Terminal, changes: dict[str, Any], code: str, autojump_clock: object) -> None:
    """A version that this machine could not run, or not take back, is refused before anything runs it."""
    content = bundle("1.0.0", **changes)
    terminal.office.release("1.0.0", content)
    action = terminal.hawkbit.offer(TERMINAL, "1.0.0", NAME, content)
    await terminal.tend()
    assert action.status == "error"
    assert action.history[-1]["status"]["details"][0].startswith(f"refused: {code}")
    assert terminal.recorded[-1].what == "refused"
    assert terminal.installer.running() == "0.9.0"


async def test_refused_settings(terminal: Terminal, autojump_clock: object) -> None:
    """A version that cannot use the settings in force is refused before it is tried."""
    content = bundle("1.0.0")
    terminal.office.release("1.0.0", content)
    terminal.settings_trouble = "an unknown table"
    action = terminal.hawkbit.offer(TERMINAL, "1.0.0", NAME, content)
    await terminal.tend()
    assert (action.status, terminal.restarts) == ("error", [])
    assert "settings" in action.history[-1]["status"]["details"][0]


def signed(terminal: Terminal) -> Action:
    content = bundle("1.0.0")
    terminal.office.release("1.0.0", content)
    return terminal.hawkbit.offer(TERMINAL, "1.0.0", NAME, content)


def _unsigned(terminal: Terminal, action: Action) -> None:
    action.artifact.hashes["sha256"] = "ab" * 32


def _other_size(terminal: Terminal, action: Action) -> None:
    action.artifact.content += b"more"


def _other_bytes(terminal: Terminal, action: Action) -> None:
    action.artifact.content = bytes(len(action.artifact.content))


def _part_nobody_installs(terminal: Terminal, action: Action) -> None:
    action.part = "bootloader"


def _signed_as_application(terminal: Terminal, action: Action) -> None:
    action.part = "os"


def _no_hash(terminal: Terminal, action: Action) -> None:
    del action.artifact.hashes["sha256"]


def _frozen(terminal: Terminal, action: Action) -> None:
    terminal.office.pass_days(20)


def _withdrawn(terminal: Terminal, action: Action) -> None:
    terminal.office.release("1.0.1", bundle("1.0.1"), withdraw=(NAME,))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_unsigned, "not_listed"),
        (_other_size, "not_listed"),
        (_other_bytes, "wrong_content"),
        (_part_nobody_installs, "not_for_us"),
        (_signed_as_application, "not_listed"),
        (_no_hash, "not_for_us"),
        (_frozen, "expired"),
        (_withdrawn, "not_listed"),
    ],
)
async def test_refused_offer(
    terminal: Terminal, spoil: Callable[[Terminal, Action], None], code: str, autojump_clock: object
) -> None:
    """What the server offers and two people did not sign is refused; it stands in the record of both sides."""
    action = signed(terminal)
    spoil(terminal, action)
    await terminal.tend()
    assert action.status == "error"
    assert action.history[-1]["status"]["details"][0].startswith(f"refused: {code}: ")
    assert terminal.recorded[-1].what == "refused"
    assert terminal.recorded[-1].why.startswith(code)
    assert (terminal.installer.running(), terminal.restarts) == ("0.9.0", [])


async def test_refused_when_withdrawn_before_its_hour(terminal: Terminal, autojump_clock: object) -> None:
    """What was loaded and is withdrawn before the night is not installed in the night."""
    action = signed(terminal)
    action.update = "attempt"
    terminal.at(13)
    await terminal.tend()
    _withdrawn(terminal, action)
    await trio.sleep(REFRESHED_EVERY_S)
    terminal.at(4, days=1)
    await terminal.tend()
    assert action.status == "error"
    assert terminal.installer.running() == "0.9.0"


async def test_refused_without_ranges(terminal: Terminal, autojump_clock: object) -> None:
    """A server that answers every piece from the beginning is given up, not followed for ever."""
    action = signed(terminal)
    action.artifact.ranges = False
    await terminal.tend()
    assert "no_ranges" in action.history[-1]["status"]["details"][0]
    assert len(terminal.line.pieces) < 10


async def test_file_that_changes_underway_begins_anew(terminal: Terminal, autojump_clock: object) -> None:
    """Where the file was replaced in the middle, what came is dropped and the new one is judged by its hash."""
    action = signed(terminal)
    terminal.flow.download.told = lambda received: setattr(action.artifact, "etag", '"2"')
    await terminal.tend()
    assert [first for first, _ in terminal.line.pieces][:3] == [0, 4096, 4096]
    assert action.status == "finished"


@pytest.mark.parametrize("left", ["half", "all"])
async def test_part_that_the_disk_spoiled_is_loaded_anew(terminal: Terminal, left: str, autojump_clock: object) -> None:
    """Bytes that an earlier life left are no reason to refuse a file that the fleet has whole."""
    action = signed(terminal)
    whole = len(action.artifact.content)
    part = terminal.home / "downloads" / f"{action.artifact.hashes['sha256']}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(bytes(whole if left == "all" else whole // 2))
    part.with_suffix(".etag").write_text(action.artifact.etag)
    await terminal.tend()
    assert (action.status, terminal.restarts != []) == ("finished", True)
    begun = [first for first, _ in terminal.line.pieces]
    assert begun[0] == (0 if left == "all" else whole // 2)
    assert begun.count(0) == 1


async def test_refused_for_want_of_room(terminal: Terminal, autojump_clock: object) -> None:
    """Nothing is loaded that the disk has no room for."""
    action = signed(terminal)
    terminal.installer.unpacked_times = 1 << 50
    await terminal.tend()
    assert "no_room" in action.history[-1]["status"]["details"][0]
    assert terminal.line.pieces == []


@pytest.mark.parametrize(
    "body",
    [None, [], {"id": "1"}, {"id": "../1", "deployment": {"download": "forced", "update": "forced"}},
     {"id": "1", "deployment": {"download": "now", "update": "forced"}}],
)  # fmt: skip
def test_refused_words_of_the_server(body: Any) -> None:
    """An answer that is not DDI is refused as such."""
    with pytest.raises(UpdateRefused, match=r".") as refused:
        read_deployment(body)
    assert refused.value.code == "not_ddi"


@given(st.binary(max_size=400))
def test_noise_is_refused_as_a_manifest(raw: bytes) -> None:
    """No bytes but a manifest are taken for one."""
    with pytest.raises(NotAllowed):
        read_manifest(raw)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8), lambda inner: st.dictionaries(st.text(max_size=9), inner)
    )
)
def test_noise_is_refused_or_empty_as_a_root(body: Any) -> None:
    """Whatever JSON a server answers, it is either refused or a root with links that are links."""
    try:
        root = read_root(body)
    except UpdateRefused as refused:
        assert refused.code == "not_ddi"
        return
    assert all(isinstance(link.href, str) for link in root.links.values())


@given(st.lists(st.sampled_from(["kiosk", "..", ".", "", "a b", "\x00", "-x", "~", "c:", "ok.py"]), min_size=1))
def test_no_path_leaves_its_folder(parts: list[str]) -> None:
    """A path that is allowed stays below its folder and is what it looks like."""
    path = "/".join(parts)
    try:
        check_path(path)
    except NotAllowed:
        return
    assert all(part in ("kiosk", "ok.py") for part in path.split("/"))


@given(st.lists(st.integers(0, 300), min_size=2, max_size=4), st.lists(st.integers(0, 300), min_size=2, max_size=4))
def test_versions_are_compared_by_their_numbers(one: list[int], other: list[int]) -> None:
    """1.10 comes after 1.9, and 1.2 is 1.2.0."""
    width = max(len(one), len(other))
    padded = [numbers + [0] * (width - len(numbers)) for numbers in (one, other)]
    told = [".".join(map(str, numbers)) for numbers in (one, other)]
    assert newer(*told) == (padded[0] > padded[1])
    assert newer(told[0], f"{told[0]}-rc1")


def test_bundle_that_fits(tmp_path: Path) -> None:
    """A bundle to the letter is unpacked as it was, with its manifest, readable by the kiosk's user."""
    file, into = tmp_path / "bundle", tmp_path / "b"
    file.write_bytes(bundle("1.0.0"))
    told = unpack(file, into, Disk(), lambda manifest: check_needs(manifest, JOURNAL))
    assert told.version == "1.0.0"
    assert {name: (into / name).read_bytes() for name in FILES} == FILES
    assert (into / "kiosk" / "app.py").stat().st_mode & 0o777 == 0o644
