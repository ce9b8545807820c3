"""Table ``agent`` of the settings: what the terminal's agent is told by whoever put the box up."""

import msgspec


class AgentRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Local facts of the terminal's agent. Without ``home`` there is none, and no fleet."""

    home: str = ""  # folder of its files: identity, settings in force, commands answered
    url: str = ""  # of the fleet's face for terminals; enrolment brings it where it is empty
    tenant: str = ""
    ca: str = ""
    certificate: str = ""
    private_key: str = ""
    city_keys: dict[str, str] = {}  # name -> PEM file, Ed25519: who may sign settings and commands
    host_ca: str = ""  # for hosts that the city names and the local facts do not
    host_certificate: str = ""
    host_private_key: str = ""
    metrics_port: int = 0  # on loopback; 0: nowhere
    gate_s_max: float = 120.0  # within which the kiosk serves with new settings, else the last ones come back
    log_command: tuple[str, ...] = ()  # prints the newest log lines, e.g. journalctl; empty: logs are not sent
    helper: str = ""  # folder in which a privileged unit waits for wishes (reboot, wipe); empty: neither is done
