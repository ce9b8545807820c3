"""Units as they run: under their users, behind their walls, started anew when they hang, quiet when nobody is there.

One system is booted for all of these tests; those that stop or destroy something come last.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from offline_queue.verify import open_read_only
from simulators.hosts.agency_documents import DocumentMaker
from tests.appliance.container import INSIDE, OUTSIDE, PLACES, Container, booted, until

pytestmark = [pytest.mark.slow, pytest.mark.appliance, pytest.mark.longest(45, first=240), pytest.mark.timeout(900)]

HOST_PORT, OTHER_PORT = 8443, 8444
READER_PORTS = {35963, 35964}  # of vpcd
REBOOTED = 133  # how systemd-nspawn ends when its system wants to start anew and somebody else is to do it
PROCESSES = {
    "yikatong-display.service": "yikatong-display",
    "yikatong-pcscd.service": "yikatong-pcscd",
    "yikatong-kiosk.service": "yikatong-kiosk",
    "yikatong-forwarder.service": "yikatong-forwarder",
    "yikatong-agent.service": "yikatong-agent",
}
SETTINGS = f"""{PLACES}[hosts.social_insurance]
url = "https://{OUTSIDE}:{HOST_PORT}"
private_key = "credential:hosts.key"
[hosts.card_platform]
url = "https://{OUTSIDE}:{HOST_PORT}"
[hosts.agency]
url = "https://{OUTSIDE}:{HOST_PORT}"
[agent]
home = "/var/lib/yikatong/agent"
serial = "SN1"
url = "https://{OUTSIDE}:{HOST_PORT}"
privileged = "/var/lib/yikatong/wishes"
"""
AGENCY = Ed25519PrivateKey.generate()
IDLE_S = 60
MEMORY_MIB_MAX, CPU_PERCENT_MAX, WRITTEN_MIB_A_DAY_MAX = 350, 2.0, 20


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    if os.geteuid() != 0:
        pytest.skip("only root boots a container")
    with booted(tmp_path_factory.mktemp("terminal"), SETTINGS) as container:
        key = AGENCY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (container.etc / "agency.pem").write_bytes(key)
        until(lambda: container.active(*PROCESSES), 120, lambda: container.log()[-3000:])
        yield container


def asked(terminal: Container, word: str, path: str = "/run/yikatong/kiosk.sock", user: str = "") -> str:
    """The answer on a control socket; "" where the socket cannot be reached."""
    ask = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        "s.sendall(sys.argv[2].encode()); print(s.makefile().readline())"
    )
    return terminal.run("python3", "-c", ask, path, json.dumps({"ask": word}) + "\n", user=user).stdout.strip()


def proc(terminal: Container, unit: str, name: str) -> str:
    """A file of /proc of the unit's own process."""
    return terminal.said("cat", f"/proc/{terminal.shown(unit, 'MainPID')}/{name}")


def status_of(terminal: Container, unit: str) -> dict[str, str]:
    lines = proc(terminal, unit, "status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_the_kiosk_reaches_its_glass(terminal: Container) -> None:
    """The page that invites a card stands on the display, with a reader that answers."""
    until(lambda: "insert_card" in asked(terminal, "picture"), 60, lambda: terminal.log("yikatong-kiosk")[-2000:])
    health = json.loads(asked(terminal, "health"))
    assert health["slots"]["card_reader"]["condition"] == "ready"


@pytest.mark.parametrize(("unit", "user"), PROCESSES.items())
def test_each_process_is_a_user_without_rights(terminal: Container, unit: str, user: str) -> None:
    """No capability, no way to get one, and a filter on what it may ask of the kernel."""
    status = status_of(terminal, unit)
    numbers = {line.split(":")[0]: line.split(":")[2] for line in terminal.said("getent", "passwd").splitlines()}
    assert status["Uid"].split() == [numbers[user]] * 4
    assert (status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == (
        "0" * 16,
        "0" * 16,
        "1",
        "2",
    )


def test_what_a_process_may_not_touch(terminal: Container) -> None:
    """The system cannot be written to from inside of a unit, nor can others' folders be entered."""
    mounts = proc(terminal, "yikatong-kiosk.service", "mounts").splitlines()
    options = {line.split()[1]: line.split()[3].split(",") for line in mounts}
    assert "ro" in options["/"]
    assert "rw" in options["/var/lib/yikatong/journal"]
    assert options["/var/lib/yikatong/wishes"][0] == "ro"
    for path in ("/var/lib/yikatong/credentials", "/var/lib/yikatong/agent/identity", "/var/lib/yikatong/wishes"):
        assert terminal.run("ls", path, user="yikatong-kiosk").returncode != 0, path
    assert terminal.run("cat", "/var/lib/yikatong/journal/journal.key", user="yikatong-agent").returncode != 0


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/run/yikatong/kiosk.sock", {"yikatong-kiosk", "yikatong-forwarder", "yikatong-agent"}),
        ("/run/yikatong/forward/forward.sock", {"yikatong-kiosk", "yikatong-forwarder", "yikatong-agent"}),
        ("/run/yikatong/agent/agent.sock", {"yikatong-kiosk", "yikatong-forwarder", "yikatong-agent"}),
        ("/run/yikatong-pcscd/pcscd.comm", {"yikatong-kiosk", "yikatong-pcscd"}),
        ("/run/yikatong-display/X0", {"yikatong-kiosk", "yikatong-display"}),
    ],
)
def test_who_reaches_which_socket(terminal: Container, path: str, may: set[str]) -> None:
    """The terminal's own users theirs, the card and the glass the kiosk alone, and nobody else any of them."""
    connect = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    users = (*PROCESSES.values(), "nobody")
    got = {user for user in users if terminal.run("python3", "-c", connect, path, user=user).returncode == 0}
    assert got == may


def test_the_glass_has_no_socket_outside_of_its_folder(terminal: Container) -> None:
    """A name without a file would be reached by every process of the machine, whatever its user."""
    names = [line.split()[-1] for line in terminal.said("cat", "/proc/net/unix").splitlines() if "X11-unix" in line]
    assert names
    assert not [name for name in names if name.startswith("@")]


def test_two_users_write_one_journal(terminal: Container) -> None:
    """Kiosk and forwarder both have it open to write, and the chain is whole."""
    folder = terminal.state / "journal"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.glob("journal.*")} == {"0o660"}
    for unit in ("yikatong-kiosk.service", "yikatong-forwarder.service"):
        opened = terminal.said("ls", "-l", f"/proc/{terminal.shown(unit, 'MainPID')}/fd")
        assert "/var/lib/yikatong/journal/journal.db-wal" in opened
    assert " rows, whole" in terminal.run("kiosk", "doctor").stdout


def test_nothing_listens_on_the_network(terminal: Container) -> None:
    """Every socket that waits for somebody is a file of this machine; but those of a reader that is a program, which no
    terminal has."""
    found = terminal.said("ss", "--no-header", "--listening", "--tcp", "--udp", "--raw", "--packet", "--numeric")
    assert {int(line.split()[4].rpartition(":")[2]) for line in found.splitlines()} == READER_PORTS


SCAN = """
import select, socket, sys
found = []
for first in range(1, 65536, 4096):
    lines = {}
    for port in range(first, min(first + 4096, 65536)):
        line = socket.socket()
        line.setblocking(False)
        line.connect_ex((sys.argv[1], port))
        lines[line.fileno()] = (line, port)
    poll = select.poll()
    for number in lines:
        poll.register(number, select.POLLOUT)
    found += [lines[number][1] for number, _ in poll.poll(700)]
    for line, _ in lines.values():
        line.close()
print(found)
"""


def scan(terminal: Container) -> list[int]:
    """TCP ports at which anything at all comes back, a refusal included."""
    done = terminal.in_world("sh", "-c", f"ulimit -n 8192; exec python3 -c '{SCAN}' {INSIDE}")
    assert done.returncode == 0, done.stderr
    return [int(port) for port in json.loads(done.stdout)]


@pytest.mark.longest(120)
def test_a_scan_from_outside_finds_nothing(terminal: Container) -> None:
    """No port answers, not even by refusing, also where a program inside listens; without the firewall it is found."""
    listener = f"import socket, time; line = socket.create_server(('{INSIDE}', 4567)); time.sleep(120)"
    terminal.said("systemd-run", "--unit=yk-listener", "--", "python3", "-c", listener)
    until(lambda: ":4567" in terminal.said("ss", "-Hltn"), 20)
    assert scan(terminal) == []
    assert terminal.in_world("ping", "-c1", "-W1", INSIDE).returncode != 0
    terminal.said("nft", "delete", "table", "inet", "yikatong")
    try:
        assert 4567 in scan(terminal)
    finally:
        terminal.said("systemctl", "restart", "yikatong-firewall.service")
        terminal.said("systemctl", "stop", "yk-listener")
        terminal.said("systemctl", "restart", "yikatong-hosts.service")
    assert scan(terminal) == []


def test_only_the_hosts_of_the_settings_are_let_out(terminal: Container) -> None:
    """For the users who speak to them; another port, and anybody else, root too, gets nowhere."""
    terminal.said("systemctl", "start", "yikatong-hosts.service")
    ports = f"{HOST_PORT}, {OTHER_PORT}"
    serve = f"import socket, time; a = [socket.create_server(('{OUTSIDE}', p)) for p in ({ports})]; time.sleep(60)"
    world = subprocess.Popen(["ip", "netns", "exec", terminal.world, "python3", "-c", serve])
    try:
        connect = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"

        def reaches(port: int, user: str) -> bool:
            return terminal.run("python3", "-c", connect, OUTSIDE, str(port), user=user).returncode == 0

        until(lambda: reaches(HOST_PORT, "yikatong-kiosk"), 20, lambda: terminal.said("nft", "list", "ruleset"))
        users = ("yikatong-kiosk", "yikatong-forwarder", "yikatong-agent", "yikatong-display", "nobody", "")
        assert {user for user in users if reaches(HOST_PORT, user)} == set(users[:3])
        assert {user for user in users if reaches(OTHER_PORT, user)} == set()
    finally:
        world.terminate()
        world.wait()


def test_a_key_is_handed_to_the_kiosk_alone(terminal: Container) -> None:
    """Encrypted on the disk, in clear only in the memory of the unit that names it, and found by the settings."""
    sealed = terminal.state / "credentials" / "hosts" / "hosts.key"
    done = terminal.run(
        "systemd-creds", "encrypt", "--with-key=host", "--name=key_hosts.key", "-", "-", stdin="the key of a host"
    )
    assert done.returncode == 0, done.stderr
    sealed.write_text(done.stdout)
    assert "the key" not in sealed.read_text()
    terminal.said("systemctl", "restart", "yikatong-kiosk.service", "yikatong-forwarder.service")
    shown = "/run/credentials/yikatong-kiosk.service/key_hosts.key"
    assert terminal.said("cat", shown) == "the key of a host"
    assert terminal.run("cat", shown, user="yikatong-agent").returncode != 0
    until(lambda: terminal.active(*PROCESSES), 60)
    findings = {row["name"]: row["why"] for row in json.loads(terminal.run("kiosk", "doctor", "--json").stdout)}
    assert "cannot read" not in findings.get("file of host social_insurance", "")


def named(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None, text
    return found[1]


@pytest.mark.longest(180)
def test_idle_it_needs_little(terminal: Container) -> None:
    """Memory of its processes (each shared page counted once), time of one core, and what it writes to its disk."""
    until(lambda: terminal.active(*PROCESSES), 60)

    def used() -> tuple[float, int]:
        ticks = written = 0
        for unit in PROCESSES:
            words = proc(terminal, unit, "stat").rpartition(") ")[2].split()
            ticks += int(words[11]) + int(words[12])
            written += int(named(r"^write_bytes: (\d+)", proc(terminal, unit, "io")))
        return ticks / os.sysconf("SC_CLK_TCK"), written

    time_before, (cpu_before, written_before) = time.monotonic(), used()
    until(lambda: time.monotonic() - time_before > IDLE_S, IDLE_S + 10)
    seconds, (cpu, written) = time.monotonic() - time_before, used()
    memory = sum(int(named(r"^Pss:\s+(\d+)", proc(terminal, unit, "smaps_rollup"))) for unit in PROCESSES) / 1024
    percent, a_day = 100 * (cpu - cpu_before) / seconds, (written - written_before) / seconds * 86_400 / 2**20
    print(
        json.dumps(
            {
                "idle_s": round(seconds),
                "memory_mib": round(memory),
                "cpu_percent": round(percent, 2),
                "written_mib_a_day": round(a_day, 1),
            }
        )
    )
    assert memory <= MEMORY_MIB_MAX
    assert percent <= CPU_PERCENT_MAX
    assert a_day <= WRITTEN_MIB_A_DAY_MAX


# The forwarder itself, with a signal that makes its event loop stand still: a drop-in of this test alone.
HANGING = """
import signal, sys, time
from kiosk.__main__ import main
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(1e6))
sys.exit(main(["--settings", "/etc/yikatong/settings.toml", "forward"]))
"""
HANGS = """
[Service]
WatchdogSec=4s
ExecStart=
ExecStart=/usr/lib/yikatong/venv/bin/python /etc/yikatong/hanging.py
"""


def test_a_process_that_hangs_is_started_anew(terminal: Container) -> None:
    """Its event loop stands still, systemd hears no sign of it, ends it, logs where it hung, and starts it again."""
    unit = "yikatong-forwarder.service"
    (terminal.etc / "hanging.py").write_text(HANGING)
    terminal.change(unit, HANGS)
    terminal.said("systemctl", "restart", unit)
    before, restarts = terminal.shown(unit, "MainPID"), int(terminal.shown(unit, "NRestarts"))
    terminal.said("systemctl", "kill", "--kill-who=main", "--signal=SIGUSR1", unit)
    until(lambda: int(terminal.shown(unit, "NRestarts")) == restarts + 1 and terminal.active(unit), 60)
    assert terminal.shown(unit, "MainPID") != before
    log = terminal.log(unit)
    assert "Watchdog timeout" in log
    assert "Current thread" in log, "where it hung"
    terminal.change(unit, "")
    terminal.said("systemctl", "restart", unit)


def test_settings_that_cannot_be_used_end_nothing_for_good(terminal: Container) -> None:
    """The kiosk ends with 78, is started again with growing pauses, and comes up by itself once they are right."""
    unit = "yikatong-kiosk.service"
    (terminal.etc / "settings.toml").write_text(SETTINGS + "\nnonsense = [\n")
    terminal.run("systemctl", "restart", unit)
    until(lambda: int(terminal.shown(unit, "NRestarts")) >= 3, 60)
    assert "status=78" in terminal.log(unit)
    (terminal.etc / "settings.toml").write_text(SETTINGS)
    until(lambda: terminal.active(unit), 90, lambda: terminal.log(unit)[-2000:])


def wish(terminal: Container, what: str, command: str) -> str:
    """The answer of the privileged unit: "done", or the sentence of its refusal."""
    folder = terminal.state / "wishes"
    for old in folder.glob(f"{what}.*"):
        old.unlink()
    beside = folder / f".{what}.new"
    beside.write_text(json.dumps({"command": command}))
    beside.rename(folder / f"{what}.wish")
    answers = folder / f"{what}.done", folder / f"{what}.refused"
    until(lambda: any(one.exists() for one in answers), 60, lambda: terminal.log("yikatong-privileged")[-2000:])
    return "done" if answers[0].exists() else answers[1].read_text()


def test_the_clock_of_this_machine_is_refused_in_words(terminal: Container) -> None:
    """A container may not set it, and the unit says so instead of pretending."""
    assert "cannot be set" in wish(terminal, "clock", datetime.now(UTC).isoformat())


def test_a_network_is_put_to_use(terminal: Container) -> None:
    """Files that the agent laid down become an address on the line, and go again."""
    folder = terminal.state / "agent" / "network" / "0001"
    folder.mkdir(parents=True)
    (folder / "10-yikatong.network").write_text(
        "[Match]\nName=eth0\n[Network]\nAddress=10.77.0.9/24\nKeepConfiguration=static\n"
    )
    assert wish(terminal, "network", "0001") == "done"
    until(lambda: "10.77.0.9" in terminal.said("ip", "-brief", "address", "show", "eth0"), 30)
    assert wish(terminal, "network", "../0001") == "no set of files has this name"
    assert wish(terminal, "network", "") == "done"
    assert terminal.said("ls", "/run/systemd/network") == ""


def test_a_wipe_needs_the_agencys_word(terminal: Container) -> None:
    """Without it the journal stays and the kiosk serves on; with the signed word for its last row it is gone."""
    journal = terminal.state / "journal"
    assert "bring it on a stick" in wish(terminal, "wipe", "one")
    until(lambda: terminal.active("yikatong-kiosk.service"), 60)
    assert (journal / "journal.key").exists()
    terminal.said("systemctl", "stop", "yikatong-kiosk.service", "yikatong-forwarder.service")
    with closing(open_read_only(journal / "journal.db")) as rows:
        ((seq, link),) = rows.execute("select seq, link from entry order by seq desc limit 1")
    facts = {"terminal": "T0000001", "kept_up_to": seq, "link": bytes(link).hex()}
    word = DocumentMaker(AGENCY, "agency").signed("journal_kept", 1, datetime.now(UTC), facts)
    (journal / "acknowledged.json").write_bytes(word)
    assert wish(terminal, "wipe", "two") == "done", terminal.log("yikatong-privileged")[-2000:]
    assert not (journal / "journal.key").exists()
    assert not (journal / "journal.db").exists()
    assert list((terminal.state / "credentials" / "hosts").iterdir()) == []


def test_a_reboot_is_one(terminal: Container) -> None:
    """Answered first, then the system starts anew, once, with everything that it needs."""
    (terminal.state / "journal" / "acknowledged.json").unlink(missing_ok=True)
    assert wish(terminal, "reboot", "one") == "done"
    assert terminal.ended() == REBOOTED
    terminal.start()
    until(lambda: terminal.active(*PROCESSES), 120, lambda: terminal.log()[-3000:])
    assert (terminal.state / "wishes" / "reboot.done").exists()
    assert not (terminal.state / "wishes" / "reboot.wish").exists()
