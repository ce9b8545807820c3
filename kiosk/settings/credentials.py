"""Keys that systemd hands to one process (LoadCredentialEncrypted=): ``credential:NAME`` in the settings is their path.

They lie encrypted on the disk, by the board's TPM or by its host key, and in clear only in memory that the unit's own
user can read. Of a folder of credentials each file is one, and systemd puts the folder's name before its own.
"""

import os
from pathlib import Path
from typing import Any

MARK = "credential:"
VARIABLE = "CREDENTIALS_DIRECTORY"  # systemd.exec(5)
PREFIX = "key_"
OF_KIOSK = "/run/credentials/yikatong-kiosk.service"  # where a person who is root finds them while the kiosk runs
SEALED = Path("/var/lib/yikatong/credentials")  # as they lie on the disk: a folder for each unit that is handed them


def in_place(value: Any) -> Any:
    """The same tree with paths instead of names of credentials."""
    if isinstance(value, dict):
        return {name: in_place(one) for name, one in value.items()}
    if isinstance(value, list):
        return [in_place(one) for one in value]
    if isinstance(value, str) and value.startswith(MARK):
        return f"{folder()}/{PREFIX}{value.removeprefix(MARK)}"
    return value


def is_one(path: str) -> bool:
    """Whether it is a credential's path: only the process that it is handed to can tell whether it is there."""
    return path.startswith(f"{folder()}/{PREFIX}")


def folder() -> str:
    return os.environ.get(VARIABLE, OF_KIOSK)
