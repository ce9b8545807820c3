"""The tunnel of a terminal whose key is in a token: stunnel's file, written anew whenever what it shows is another.

stunnel is a unit of its own under the agent's user, started anew by systemd when this file changes. It listens on UNIX
sockets in a private folder, one for each thing that it shows: the certificate that the key signed itself, and the one
that the fleet gave.
"""

import hashlib
from pathlib import Path

from provisioning.rules.tunnel import TunnelKey, Tunnelled, configuration
from provisioning.terminal.disk import Disk
from provisioning.terminal.enrolment.identity import Identity

CONFIGURATION = "stunnel.conf"
BARE, KNOWN = "enrol", "fleet"


class Tunnel:
    """``home``/tunnel/{stunnel.conf, enrol.sock, fleet.sock}."""

    def __init__(self, home: Path, disk: Disk, identity: Identity) -> None:
        assert identity.token is not None, "a key in a file needs no tunnel"
        self.folder, self._disk, self._identity, self._token = home / "tunnel", disk, identity, identity.token
        self.configuration = self.folder / CONFIGURATION

    def socket(self, known: bool) -> Path:
        return self.folder / f"{KNOWN if known else BARE}.sock"

    def keep(self, url: str, ca: str, proxy: str = "") -> bool:
        """Whether the file is another now than before. Raises OSError, ValueError: no address."""
        shown = [(BARE, self._identity.bare), (KNOWN, self._identity.certificate)]
        shown = [(name, pem) for name, pem in shown if pem.exists()]
        hosts = [Tunnelled(name, url, str(self.folder / f"{name}.sock"), str(pem), ca, proxy) for name, pem in shown]
        pin = Path(self._token.pin_file).read_text().strip()
        words = configuration(TunnelKey(self._token.module, self._token.uri(), pin), hosts)
        # A renewed certificate has the same path: its sum makes the file another, so that stunnel is started anew.
        sums = "".join(f"; {name} {hashlib.sha256(pem.read_bytes()).hexdigest()}\n" for name, pem in shown)
        content = (words + sums).encode()
        if self.configuration.exists() and self.configuration.read_bytes() == content:
            return False
        self._disk.folder(self.folder)
        self._disk.write(self.configuration, content, 0o600)
        return True
