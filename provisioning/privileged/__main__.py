"""``python -m provisioning.privileged act | network | hosts | devices``: what units that run as root start."""

import argparse
import json
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

from provisioning.privileged import hosts
from provisioning.privileged.clock import set_clock
from provisioning.privileged.devices import Unusable, read_devices, udev_rules, usb_rules
from provisioning.privileged.network import Places, at_start, put_to_use
from provisioning.privileged.stick import StickWish
from provisioning.privileged.wipe import Wipe
from provisioning.privileged.wishes import Act, Refused, Wish, answer_wishes

LOCAL = Path("/etc/yikatong/settings.toml")
DEVICES = Path("/etc/yikatong/devices.toml")
UDEV, USB = Path("/run/udev/rules.d/90-yikatong-devices.rules"), Path("/run/yikatong-usb/rules.conf")
CREDENTIALS = Path("/var/lib/yikatong/credentials/hosts")
ADDRESSES = Path("/run/yikatong-hosts/addresses.json")
PROXY = Path("/run/yikatong-network/proxy")
NFT_S_MAX = 20.0


def main(arguments: list[str] | None = None) -> int:
    """0 done (a wish that is refused is answered, too), 1 something could not be, and why."""
    parser = argparse.ArgumentParser(prog="provisioning.privileged")
    parser.add_argument("command", choices=("act", "network", "hosts", "devices"))
    command = {"act": act, "network": network, "hosts": let_out, "devices": name_devices}
    try:
        command[parser.parse_args(arguments).command]()
    except (OSError, ValueError, Refused, Unusable, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def act() -> None:
    """Raises OSError, ValueError: settings that cannot be read."""
    local = settings(LOCAL)
    agent = local.get("agent", {})
    if not agent.get("privileged"):
        return
    home, in_force = Path(agent["home"]), in_force_or(local)
    wipe = Wipe(LOCAL, str(in_force.get("terminal", {}).get("terminal_id", "")), Path(local["data_dir"]), CREDENTIALS)
    acts: dict[str, Act] = {
        "clock": set_clock,
        "network": partial(put_to_use, places=Places(home)),
        "wipe": wipe,
        "stick": StickWish(),
        "reboot": reboot,
    }
    for answer in answer_wishes(Path(agent["privileged"]), acts):
        print(answer)


def reboot(wish: Wish) -> Any:
    return partial(subprocess.run, ["systemctl", "--no-block", "reboot"], check=True, stdin=subprocess.DEVNULL)


def network() -> None:
    """At the machine's start, before networkd looks. Raises Refused."""
    home = settings(LOCAL).get("agent", {}).get("home", "")
    if home:
        at_start(Places(Path(home)))


def let_out() -> None:
    """Raises OSError, ValueError, subprocess.SubprocessError: the sets stay as they are."""
    local = settings(LOCAL)
    wanted = hosts.hosts_of(local, in_force_or(local), reached_by_agent(local), {"proxy": text_of(PROXY).strip()})
    resolvers, clocks = hosts.servers_of_line(text_of(hosts.NETIF), text_of(hosts.RESOLV))
    known = hosts.remembered(ADDRESSES)
    # Names of hosts are asked of name servers: these first, or at the first start nothing could be asked.
    load(hosts.rules(wanted, clocks, resolvers, known))
    found = hosts.resolved([*(name for name, _ in wanted), *clocks], known, hosts.addresses_of)
    load(hosts.rules(wanted, clocks, resolvers, found))
    ADDRESSES.write_text(json.dumps(found))


def load(rules: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, timeout=NFT_S_MAX)


def name_devices() -> None:
    devices = read_devices(DEVICES.read_text())
    for path, content in ((UDEV, udev_rules(devices)), (USB, usb_rules(devices))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o600 if path == USB else 0o644)  # usbguard insists that nobody else reads it


def settings(path: Path) -> dict[str, Any]:
    """Raises OSError, ValueError."""
    return tomllib.loads(path.read_text())


def in_force_or(local: dict[str, Any]) -> dict[str, Any]:
    """What the agent laid down, or the box's own facts where it has not."""
    home = local.get("agent", {}).get("home", "")
    try:
        return settings(Path(home) / "settings" / "current" / "settings.toml") if home else local
    except FileNotFoundError:
        return local


def reached_by_agent(local: dict[str, Any]) -> dict[str, Any]:
    """Where the fleet is by the word of a stick (``provisioning/terminal/enrolment/way.py``)."""
    told = text_of(Path(local.get("agent", {}).get("home", "/nonexistent")) / "reach.json")
    reach = json.loads(told) if told else {}
    return reach if isinstance(reach, dict) else {}


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
