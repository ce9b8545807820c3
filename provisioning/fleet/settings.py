"""One frozen settings tree of the fleet server, read from TOML. An unknown key is an error; names carry their units."""

from pathlib import Path

import msgspec


class SettingsError(Exception):
    """The file cannot be used; the message says where and why."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Polls(_Part, frozen=True):
    """How often terminals ask, and when they are told to come later."""

    sleep_s: float = 300.0
    hurried_sleep_s: float = 10.0  # while something waits for the terminal, or somebody looks at its page
    overdue_polls: int = 2  # missed, before a terminal counts as silent
    per_second_max: float = 1500.0  # of one process; more are told to come later
    tenant_share: float = 0.5  # of those, for one city, while others ask, too
    in_hand_max: int = 64  # polls of a process that wait for the database at one time
    retry_after_s: float = 30.0  # told to who is shed, with as much again by chance


class Front(_Part, frozen=True):
    """nginx, as ``python -m provisioning.fleet --settings FILE nginx`` writes its configuration."""

    device_listen: str = "127.0.0.1:8444"
    console_listen: str = "127.0.0.1:8445"
    certificate: str = ""  # of the server, for both faces; PEM with its chain
    key: str = ""
    user: str = ""  # of its workers, where its master is root
    workers: int = 0  # 0: one for each core
    trusted: str = ""  # where the authorities' certificates are copied to, for an nginx that may not enter ``home``


class FleetSettings(_Part, frozen=True):
    """``home`` is private: keys, certificates, by default the database; ``public`` is what nginx serves as files."""

    home: str
    public: str
    database: str = ""  # "" is a SQLite file in ``home``; or postgresql://...
    socket: str = ""  # "" is ``home``/fleet.sock; see ``socket_paths``
    device_url: str = "https://127.0.0.1:8444"
    console_url: str = "https://127.0.0.1:8445"
    production: bool = False
    ledger_key: str = ""  # NAME=FILE, Ed25519: signs for terminals what the ledger keeps; "": only people do (import)
    certificate_days: float = 365.0  # of a terminal; renewed at two thirds
    processes: int = 1  # more than one only on PostgreSQL
    front: Front = Front()
    polls: Polls = Polls()

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home}/fleet.db"

    @property
    def socket_paths(self) -> list[Path]:
        """One for each process: fleet.sock, fleet-2.sock ..."""
        first = Path(self.socket or f"{self.home}/fleet.sock")
        rest = (first.with_name(f"{first.stem}-{number}{first.suffix}") for number in range(2, self.processes + 1))
        return [first, *rest]

    @property
    def artifacts_path(self) -> Path:
        """Files of software modules by their hash; for nginx, which gives them out when the fleet says so."""
        return Path(self.public) / "artifacts"


def load_settings(path: Path) -> FleetSettings:
    """Raises SettingsError: unreadable, not TOML, an unknown key, a wrong type or a value out of its range."""
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=FleetSettings)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}. Correct this in the file; nothing was started.") from error
    if not 0 < settings.polls.tenant_share <= 1:
        raise SettingsError(f"{path}: polls.tenant_share lies between 0 and 1")
    if not 1 <= settings.processes <= 64 or (settings.processes > 1 and not settings.database):
        raise SettingsError(f"{path}: processes lies between 1 and 64, and more than one need PostgreSQL (database)")
    return settings
