"""``release ...``: which software terminals may run. People sign on machines of their own; the server only publishes.

release key --out alice.key --name alice         on Alice's machine, once
release root --out DIR --root P --targets P ...  on the server: who may sign, staged
release new --out DIR --bundle F --version V     on the server: the next list, staged
release sign DIR --key alice.key                 on Alice's machine, then on Bob's
release publish DIR --by LOGIN                   on the server
release refresh | expire-check | list            on the server
release stick --out DIR                          a copy for terminals without a line
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import open_database
from provisioning.fleet.schema.places import PROVINCE, Tenant
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.updates import acts
from provisioning.fleet.updates.keys import TokenSigner, file_signer, make_key, online_key, read_public, write_public
from provisioning.fleet.updates.staging import Signers, sign, stage_root, stage_targets
from provisioning.fleet.updates.stick import write_stick
from provisioning.fleet.web import now_ms
from provisioning.rules.releases import APPLICATION, KINDS, NotAllowed, Software

WARN_DAYS = 30.0
OFFLINE = ("key", "sign")
PASSPHRASE = "RELEASE_PASSPHRASE"  # noqa: S105 - the name of a variable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts_of = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    key = acts_of.add_parser("key", help="a key of your own, under a passphrase; or the public half of one in a token")
    key.add_argument("--out", type=Path, required=True)
    key.add_argument("--name", required=True, help="whose it is; it stands in every root")
    _add_token(key)
    root = acts_of.add_parser("root", help="stage who may sign: the first time, or anew")
    root.add_argument("--out", type=Path, required=True)
    for role in ("root", "targets"):
        root.add_argument(f"--{role}", type=Path, required=True, nargs="+", metavar="PUBLIC", help="two people or more")
    new = acts_of.add_parser("new", help="stage the next list of software")
    new.add_argument("--out", type=Path, required=True)
    new.add_argument("--bundle", type=Path, help="what is new")
    new.add_argument("--version")
    new.add_argument("--kind", choices=sorted(KINDS), default=APPLICATION)
    new.add_argument("--withdraw", action="append", default=[], metavar="NAME", help="must not be installed any more")
    signs = acts_of.add_parser("sign", help="put your signature to a staged folder; needs no settings and no line")
    signs.add_argument("folder", type=Path)
    signs.add_argument("--key", type=Path)
    _add_token(signs)
    publishes = acts_of.add_parser("publish", help="take a folder that two people signed into the repository")
    publishes.add_argument("folder", type=Path)
    publishes.add_argument("--by", required=True, help="your login; it stands on the audit trail")
    acts_of.add_parser("refresh", help="a new timestamp where the last one is nearly a day old")
    acts_of.add_parser("expire-check", help="what runs out; 1 where it is soon or was")
    acts_of.add_parser("list", help="what terminals may install")
    stick = acts_of.add_parser("stick", help="the repository as terminals without a line want it")
    stick.add_argument("--out", type=Path, required=True, help="the stick's own folder")
    stick.add_argument("--name", action="append", help="only these; else all")


def _add_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--module", type=Path, help="PKCS#11 module, where your key is in a token")
    parser.add_argument("--token", help="label of the token")
    parser.add_argument("--id", default="01", help="of the key in the token, hex")


def needs_settings(asked: argparse.Namespace) -> bool:
    return asked.act not in OFFLINE


def run(settings: FleetSettings | None, asked: argparse.Namespace) -> int:
    offline: dict[str, Callable[[argparse.Namespace], int]] = {"key": _key, "sign": _sign}
    server: dict[str, Callable[[FleetSettings, argparse.Namespace], int]] = {
        "root": _root,
        "new": _new,
        "publish": _publish,
        "refresh": _refresh,
        "expire-check": _expire_check,
        "list": _list,
        "stick": _stick,
    }
    try:
        if asked.act in offline:
            return offline[asked.act](asked)
        assert settings is not None, "__main__ wants them"
        return server[asked.act](settings, asked)
    except (Refused, NotFound, NotAllowed, OSError) as refused:
        print(refused, file=sys.stderr)
        return 1


def _key(asked: argparse.Namespace) -> int:
    public = asked.out.with_suffix(".public.json")
    if asked.module is not None:
        key = TokenSigner.open(asked.module, asked.token or "", asked.id, str).public_key
        write_public(public, key, asked.name)
    else:
        key = make_key(asked.out, asked.name, _secret("A passphrase for the new key: "))
        print(f"{asked.out} is yours alone.")
    print(f"Give {public} to who keeps the root.")
    print(f"key {key.keyid}")
    return 0


def _sign(asked: argparse.Namespace) -> int:
    if asked.module is not None:
        told = _secret("PIN of the token: ")
        lines = sign(asked.folder, TokenSigner.open(asked.module, asked.token or "", asked.id, lambda: told))
    elif asked.key is not None:
        lines = sign(asked.folder, file_signer(asked.key, _secret("Passphrase of your key: ")))
    else:
        raise Refused("no_key", "Say which key: --key FILE, or --module and --token.")
    print("\n".join(lines))
    return 0


def _root(settings: FleetSettings, asked: argparse.Namespace) -> int:
    online = online_key(Path(settings.home) / acts.ONLINE_KEY).public_key
    signers = Signers([*map(read_public, asked.root)], [*map(read_public, asked.targets)], online)
    repository, at_ms = acts.repository_of(settings), now_ms()
    stage_root(repository, signers, asked.out, at_ms)
    if repository.targets() is None:
        stage_targets(repository, [], [], asked.out, at_ms)
    print(f"{asked.out} is to be signed by two of the people of the root, old and new, and of the software.")
    return 0


def _new(settings: FleetSettings, asked: argparse.Namespace) -> int:
    add = [(asked.bundle, Software(asked.kind, asked.version or ""))] if asked.bundle else []
    stage_targets(acts.repository_of(settings), add, asked.withdraw, asked.out, now_ms())
    print(f"{asked.out} is to be signed by two people, then published.")
    return 0


def _publish(settings: FleetSettings, asked: argparse.Namespace) -> int:
    open_database(settings.database_url)
    if Tenant.get_or_none(Tenant.code == PROVINCE) is None:
        raise Refused("no_province", "There is no province yet: nothing could be put on its audit trail.")
    actor = Actor(PROVINCE, f"person:{asked.by}")
    print("\n".join(acts.publish_release(actor, settings, asked.folder, now_ms())) or "published; no new software")
    return 0


def _refresh(settings: FleetSettings, asked: argparse.Namespace) -> int:
    print("a new timestamp" if acts.refresh_timestamp(settings, now_ms()) else "fresh enough")
    return 0


def _expire_check(settings: FleetSettings, asked: argparse.Namespace) -> int:
    found = acts.expiring(settings, now_ms())
    for one in found:
        who = "two people sign it anew" if one.signed_by_people else "the server renews it"
        print(f"{one.role:<10} version {one.version:<5} {one.days_left:7.1f} days left; {who}")
    late = [one for one in found if one.days_left < (WARN_DAYS if one.signed_by_people else 2.0)]
    return 1 if late else 0


def _list(settings: FleetSettings, asked: argparse.Namespace) -> int:
    for release in acts.releases(settings):
        print(f"{release.name:<40} {release.bytes_long:>12} bytes  sha256 {release.sha256}")
    return 0


def _stick(settings: FleetSettings, asked: argparse.Namespace) -> int:
    acts.refresh_timestamp(settings, now_ms())
    print("\n".join(write_stick(acts.repository_of(settings), asked.out, asked.name)))
    return 0


def _secret(words: str) -> str:
    """Never an argument, which other users of this machine could read."""
    told = os.environ.get(PASSPHRASE)
    return told if told is not None else getpass.getpass(words)
