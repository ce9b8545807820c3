"""How this terminal reaches its fleet: settings of a link, with a key in a file or through the tunnel of a token."""

import json
from dataclasses import dataclass
from pathlib import Path

from kiosk.settings.config import HostSettings
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Address
from provisioning.terminal.enrolment.identity import Identity
from provisioning.terminal.generations import GROUP_FILE
from provisioning.terminal.network import proxy_in_force
from provisioning.terminal.tunnel import Tunnel

DEADLINE_S = 30.0
REACH = "reach.json"  # for the firewall: who else this terminal must reach than its settings say


@dataclass(frozen=True)
class Way:
    """``home``: of the agent."""

    home: Path
    disk: Disk
    identity: Identity

    def proxy(self) -> str:
        """``host:port`` of the network in force, "" without one."""
        return proxy_in_force(self.home)

    def settings(self, address: Address, known: bool) -> HostSettings:
        """For a link that shows the fleet's certificate, or without ``known`` the one that the key signed itself.

        Raises:
            OSError: this machine's disk.
        """
        proxy = self.proxy()
        self._tell_firewall(address.url, proxy)
        if self.identity.token is None:
            shown = self.identity.certificate if known else self.identity.bare
            return HostSettings(
                url=address.url,
                ca=address.ca,
                certificate=str(shown),
                private_key=str(self.identity.key_file),
                proxy=proxy,
                deadline_s=DEADLINE_S,
            )
        tunnel = Tunnel(self.home, self.disk, self.identity)
        tunnel.keep(address.url, address.ca, proxy)
        return HostSettings(url=address.url, ca=address.ca, tunnel=str(tunnel.socket(known)), deadline_s=DEADLINE_S)

    def _tell_firewall(self, url: str, proxy: str) -> None:
        """It runs as another user, of our group. What stands there already is not written again."""
        told = json.dumps({"url": url, "proxy": proxy}).encode()
        path = self.home / REACH
        if not path.exists() or path.read_bytes() != told:
            self.disk.write(path, told, GROUP_FILE)
