"""`doctor` says whether the board opens its sealed keys, and what to do where it does not."""

import base64
from pathlib import Path

import pytest

from kiosk.doctor.sealed import BY_HOST_ALONE, sealed_findings

BY_BOTH = bytes.fromhex("93a894094874449090caf2fc93cab553")
KEY = "-----BEGIN PRIVATE KEY-----"


def tool(folder: Path, words: str) -> str:
    """In place of systemd-creds: a program that does these words of a shell."""
    path = folder / "systemd-creds"
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return str(path)


def with_key(folder: Path, begins: bytes = BY_BOTH, name: str = "terminal.key") -> Path:
    """A folder of credentials with one for kiosk and forwarder."""
    place = folder / "credentials" / "hosts"
    place.mkdir(parents=True)
    (place / name).write_bytes(base64.encodebytes(begins + b"\0" * 80))
    return folder / "credentials"


@pytest.mark.parametrize(
    ("words", "begins", "verdict", "why"),
    [
        (f"echo '{KEY}'", BY_BOTH, "ok", "this board opens it"),
        (f"echo '{KEY}'", BY_HOST_ALONE, "warn", "TPM has no part in it"),
        ("echo 'Failed to unseal: integrity check failed' >&2; exit 1", BY_BOTH, "fail", "integrity check failed"),
        ("exit 1", BY_BOTH, "fail", "have the host issue a new key"),
        ("echo 'tpm:warn(2.0): out of memory for session contexts' >&2; exit 1", BY_BOTH, "unknown", "ask again"),
    ],
)
def test_what_is_said_of_a_key(tmp_path: Path, words: str, begins: bytes, verdict: str, why: str) -> None:
    """By what systemd answers on a board with a TPM; the key itself is in no finding."""
    (found,) = sealed_findings(with_key(tmp_path, begins), tool(tmp_path, words), tpm=tmp_path)
    assert (found.name, found.verdict) == ("sealed key hosts/terminal.key", verdict)
    assert why in found.why and KEY not in found.why


def test_the_host_key_alone_is_fine_without_a_tpm(tmp_path: Path) -> None:
    """There is nothing better on such a board; that its disk can be read is another finding."""
    place = with_key(tmp_path, BY_HOST_ALONE)
    (found,) = sealed_findings(place, tool(tmp_path, "exit 0"), tpm=tmp_path / "none")
    assert found.verdict == "ok"


def test_it_is_asked_by_the_name_that_the_unit_asks_by(tmp_path: Path) -> None:
    """A credential opens by one name only; systemd puts the folder's before the file's."""
    place = with_key(tmp_path)
    words = 'test "$*" = "decrypt --name=key_terminal.key ' + f'{place}/hosts/terminal.key -"'
    (found,) = sealed_findings(place, tool(tmp_path, words), tpm=tmp_path)
    assert found.verdict == "ok"


def test_what_is_still_being_written_is_no_key(tmp_path: Path) -> None:
    """systemd passes over it, too; a power cut may have left it there."""
    assert not list(sealed_findings(with_key(tmp_path, name=".new"), tool(tmp_path, "exit 1")))


def test_nothing_is_said_where_there_is_none(tmp_path: Path) -> None:
    """Most terminals have no such key, and a laptop has no such folder."""
    assert not list(sealed_findings(tmp_path / "credentials"))


def test_without_systemd_nobody_knows(tmp_path: Path) -> None:
    """A key that nobody could try is neither well nor unwell."""
    (found,) = sealed_findings(with_key(tmp_path), str(tmp_path / "none"))
    assert (found.verdict, found.why) == ("unknown", f"{tmp_path}/none does not answer: FileNotFoundError")
