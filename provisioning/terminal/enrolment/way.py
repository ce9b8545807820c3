"""How this terminal reaches its fleet: settings of a link, with a key in a file or through the tunnel of a token."""

from dataclasses import dataclass
from pathlib import Path

from kiosk.config import HostSettings
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.enrol import Address
from provisioning.terminal.enrolment.identity import Identity
from provisioning.terminal.network import proxy_in_force
from provisioning.terminal.tunnel import Tunnel

DEADLINE_S = 30.0


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
