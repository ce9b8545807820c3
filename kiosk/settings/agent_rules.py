"""Table ``agent`` of the settings: what the terminal's agent is told by whoever put the box up."""

import msgspec


class TokenRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A TPM, card or HSM that holds this terminal's key, as an installer prepared it. Fields as of
    ``provisioning.token_key.Token``."""

    module: str
    label: str
    pin_file: str
    key_id: str = "01"
    environment: dict[str, str] = {}


class AgentRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Local facts of the terminal's agent. Without ``home`` there is none, and no fleet."""

    home: str = ""  # folder of its files: identity, settings in force, commands answered
    serial: str = ""  # the maker's, on the plate
    url: str = ""  # of the fleet's face for terminals; a stick may bring another
    ca: str = ""  # PEM: of the fleet's server
    console_url: str = ""  # for the QR code on the glass
    claim_keys: dict[str, str] = {}  # name -> PEM file, Ed25519: of people, who may sign a stick's claim
    token: TokenRules | None = None  # None: the key is a file in ``home``
    stick: str = ""  # where an installer's stick is mounted
    host_ca: str = ""  # for hosts that the city names and the local facts do not
    host_certificate: str = ""
    host_private_key: str = ""
    poll_s_max: float = 3600.0  # between two questions, whatever the fleet says; it costs traffic
    metrics_port: int = 0  # on loopback; 0: nowhere
    gate_s_max: float = 120.0  # within which the kiosk serves with new settings, else the last ones come back
    capacities: dict[str, int] = {}  # full: receipts a roll, sheets, notes a box; by slot or name of the cash unit
    log_command: tuple[str, ...] = ()  # prints the newest log lines, e.g. journalctl; empty: logs are not sent
    ledger: bool = False  # the fleet keeps the journal's rows, for its complaint desk; they go over the agent's line
    privileged: str = ""  # folder in which a privileged unit waits for wishes (reboot, wipe); empty: neither is done
    releases: str = ""  # the first root of who signs software, TUF's 1.root.json; empty: nothing is installed
    update_begins: str = "01:00"  # by the place's own clock: when a fleet that leaves it to us may have it
    update_ends: str = "05:00"
    update_bytes_per_s: int = 512 * 1024  # what the place's line can spare
    metered: bool = True  # the line is paid by the byte: no full image comes over it
