"""Wishes ``clock`` and ``network``: what root takes from the agent, and what not."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.privileged.clock import AGE_S_MAX, set_clock
from provisioning.privileged.network import Places, at_start, lay_down
from provisioning.privileged.wishes import Refused, Wish
from provisioning.rules.network import Network, PortAccess
from provisioning.rules.network_files import OwnCertificate, files_of

MOMENT = datetime(2027, 1, 15, 8, tzinfo=UTC)


def test_the_clock_is_set_to_now_and_not_to_when_it_was_wished() -> None:
    """Seconds that passed between wish and act are counted in."""
    told: list[float] = []
    set_clock(Wish(MOMENT.isoformat(), 2.5), told.append)
    assert told == [MOMENT.timestamp() + 2.5]


@pytest.mark.parametrize(
    ("command", "age_s"),
    [
        ("tomorrow", 0.0),
        ("2027-01-15T08:00:00", 0.0),
        ("2020-01-01T00:00:00+00:00", 0.0),
        ("2199-01-01T00:00:00+00:00", 0.0),
        (MOMENT.isoformat(), AGE_S_MAX + 1),
        (MOMENT.isoformat(), -5.0),
    ],
)
def test_a_clock_that_cannot_be_right_is_refused(command: str, age_s: float) -> None:
    """No moment, none of this software's life, or a wish from before a power cut."""
    told: list[float] = []
    with pytest.raises(Refused):
        set_clock(Wish(command, age_s), told.append)
    assert told == []


def test_a_clock_that_the_machine_keeps_is_refused_in_words() -> None:
    """The agent hears why, and counts on by itself."""

    def not_permitted(_: float) -> None:
        raise PermissionError(1, "Operation not permitted")

    with pytest.raises(Refused, match="not permitted"):
        set_clock(Wish(MOMENT.isoformat(), 0.0), not_permitted)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "agent", tmp_path / "networkd", tmp_path / "ours")


def given(places: Places, name: str, network: Network) -> None:
    folder = places.home / "network" / name
    folder.mkdir(parents=True)
    for file, content in files_of(network, OwnCertificate("/c", "/k"), str(folder)).items():
        (folder / file).write_text(content)


def test_a_network_is_laid_where_each_program_reads(places: Places) -> None:
    """networkd reads its files as a user of its own; what holds a password is root's."""
    given(
        places,
        "0001",
        Network(vlan=7, proxy="10.0.0.9:3128", port_access=PortAccess(method="peap", identity="t1", password="p")),
    )
    lay_down("0001", places)
    modes = {
        one.name: stat.S_IMODE(one.stat().st_mode)
        for folder in (places.networkd, places.ours)
        for one in folder.iterdir()
    }
    assert modes == {
        "10-yikatong.network": 0o644,
        "10-yikatong-vlan.netdev": 0o644,
        "10-yikatong-vlan.network": 0o644,
        "wpa_supplicant.conf": 0o600,
        "proxy": 0o644,
    }


def test_another_network_leaves_nothing_of_the_one_before(places: Places) -> None:
    """And the image's own means: none of ours; what others put there stays."""
    given(places, "0001", Network(vlan=7, proxy="10.0.0.9:3128"))
    given(places, "0002", Network())
    lay_down("0001", places)
    (places.networkd / "80-other.network").touch()
    lay_down("0002", places)
    assert sorted(one.name for one in places.networkd.iterdir()) == ["10-yikatong.network", "80-other.network"]
    assert list(places.ours.iterdir()) == []
    lay_down("", places)
    assert [one.name for one in places.networkd.iterdir()] == ["80-other.network"]


def test_a_start_takes_the_set_in_force(places: Places) -> None:
    """Before networkd looks for the first time; where the fleet gave none, the image's own stays."""
    at_start(places)
    assert list(places.networkd.iterdir()) == []
    given(places, "0003", Network())
    (places.home / "network" / "current").symlink_to("0003")
    at_start(places)
    assert [one.name for one in places.networkd.iterdir()] == ["10-yikatong.network"]


@pytest.mark.parametrize("name", ["../0001", "9999", "0001/..", "x"])
def test_a_set_that_is_none_is_refused(places: Places, name: str) -> None:
    """A name that leads elsewhere, or to nothing."""
    given(places, "0001", Network())
    with pytest.raises(Refused):
        lay_down(name, places)


def test_no_link_brings_another_file_into_the_network(places: Places) -> None:
    """Root reads for the agent what the agent could not read itself: nothing."""
    given(places, "0001", Network(proxy="10.0.0.9:3128"))
    secret = places.home / "secret"
    secret.write_text("of somebody else")
    (places.home / "network" / "0001" / "proxy").unlink()
    (places.home / "network" / "0001" / "proxy").symlink_to(secret)
    with pytest.raises(Refused):
        lay_down("0001", places)
    assert not (places.ours / "proxy").exists()
