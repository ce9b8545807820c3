"""How terminals of a city are to be: what a city may say, how it is laid together, and when it is not taken.

The city says everything that holds for many: hosts, services, regional data, texts. What only this box can know, what
opens doors and whom it trusts (slots, panel, folders, keys, anchors) stands in its local facts and is never set from
afar. Settings are the tables of ``Settings`` (``kiosk/settings``); a value ``body:NAME`` stands for the path of a body.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from kiosk.basics.signed import Trusted
from kiosk.settings.config import ConfigError, Settings, checked

KIND = "desired_state"
BODY = "body:"
BODIES_MAX = 64
BODY_BYTES_MAX = 256 * 1024 * 1024  # a hotlist of five million cards is 40 MB
BODY_NAME = r"^[a-z0-9][a-z0-9_.-]{0,47}(/[a-z0-9][a-z0-9_.-]{0,47})?$"
SETTINGS_BYTES_MAX = 256 * 1024
DEPTH_MAX = 8
NAME_CHARACTERS_MAX = 200  # of what changed, as the poll takes it

EVERYTHING: frozenset[str] = frozenset()
# Table -> its fields that a city may set; EVERYTHING: all of them. A table that is not here is this box's own.
MAY_SET: Mapping[str, frozenset[str]] = {
    "language": EVERYTHING,
    "services": EVERYTHING,
    "hours": EVERYTHING,
    "city": EVERYTHING,
    "terminal": frozenset(
        {"terminal_id", "profile", "place_zh", "place_en", "telephone", "reset_counter_zh", "reset_counter_en"}
    ),
    "pin": EVERYTHING,
    "timing": EVERYTHING,
    "seals": frozenset({"verify_s_max", "time_tolerance_s"}),
    "cash": EVERYTHING,
    "settlement": EVERYTHING,
    "medical_insurance": frozenset(
        {
            "institution_code", "institution_name", "place", "receiving_system", "version", "path",
            "insurance_codes", "tolerance_fen_per_line", "unknown_codes", "sign_on_codes",
        }
    ),
    "bank": frozenset(
        {"merchant_id", "key_age_s_max", "pin_digits_min", "pin_digits_max", "pin_entry_s", "pin_for_void", "aids",
         "ca_keys", "revoked"}
    ),
    "staff": frozenset({"entry_s_max", "count_s", "approve_age_s_max", "refund_s"}),
    "offline": frozenset({"documents"}),
    "loss": EVERYTHING,
    "contributions": EVERYTHING,
    "card_states": EVERYTHING,
}  # fmt: skip
INSIDE_S_MIN = 300.0  # that a resident with notes inside may stay away
ANSWER_S_MIN = 30.0  # below it nobody old can answer, and nobody is served
PROCESSING_S_MIN = 10.0  # before it no platform has surely ended with a message
UNKNOWN_S_MAX = 90.0  # then the resident leaves with a paper
# Whose certificate a host sees, and which authority its own comes from, is not the city's to say.
HOST_MAY_SET = frozenset({"url", "deadline_s", "batch_items_max", "remembers_keys_days", "receipt_records"})


class Unfit(Exception):
    """These settings are not taken; the message says why, for people, and holds no value of them."""


class BodyRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file that comes beside the document. ``name``: lower case, at most one folder."""

    name: Annotated[str, msgspec.Meta(pattern=BODY_NAME)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, msgspec.Meta(ge=0, le=BODY_BYTES_MAX)]


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a signed ``desired_state``. ``version`` only grows within an ``epoch``. ``metered``: the line of
    the place where it stands is paid by the byte."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    tenant: str
    terminal_id: str
    settings: dict[str, Any]
    bodies: Annotated[tuple[BodyRef, ...], msgspec.Meta(max_length=BODIES_MAX)] = ()
    epoch: int = 0
    metered: bool = False


def read_desired(document: Trusted, tenant: str, terminal_id: str, in_force: tuple[int, int], now: datetime) -> Desired:
    """``in_force``: epoch and version.

    Raises:
        Unfit: another city's or terminal's, expired, older, of another epoch, or not what it should be.
    """
    try:
        desired = msgspec.convert(document.content, Desired)
    except msgspec.ValidationError as error:
        raise Unfit(f"it is not whole: {error}") from None
    if desired.tenant != tenant:
        raise Unfit("it is of another city")
    if desired.terminal_id != terminal_id:
        raise Unfit("it is another terminal's")
    if document.expires_at <= now:
        raise Unfit("it is out of date")
    if desired.epoch != in_force[0]:
        raise Unfit("it is of another epoch")
    if desired.version < in_force[1]:
        raise Unfit("it is older than the one in force")
    names = [body.name for body in desired.bodies]
    check_city_settings(desired.settings, names)
    if desired.settings.get("terminal", {}).get("terminal_id", terminal_id) != terminal_id:
        raise Unfit("it gives this terminal another number")
    return desired


def check_city_settings(settings: Mapping[str, Any], bodies: Iterable[str]) -> None:
    """Whether a city may say this, whatever it is laid over. ``bodies``: names of those that come with it.

    Raises:
        Unfit: a table or field that is a terminal's own, an unknown one, a wrong type, or a body that does not come.
    """
    if len(msgspec.json.encode(settings)) > SETTINGS_BYTES_MAX or _depth(settings) > DEPTH_MAX:
        raise Unfit("these settings are too large")
    for table, content in settings.items():
        if table == "hosts":
            _only_a_citys(content)
        elif table not in MAY_SET:
            raise Unfit(f"{table} is not the city's to set")
        elif MAY_SET[table] and not MAY_SET[table].issuperset(content if isinstance(content, Mapping) else ()):
            raise Unfit(f"{table}: {sorted(set(content) - MAY_SET[table])[0]} is not the city's to set")
    _check_bodies(settings, [*bodies])
    try:  # laid over nothing: types and unknown names show all the same
        look = msgspec.convert({"run_dir": "-", "data_dir": "-", **_for_a_look(settings)}, Settings)
        _keeps_money_rules(checked(look, Path("settings")))
    except (msgspec.ValidationError, ConfigError) as error:
        raise Unfit(str(error)) from None


def _keeps_money_rules(settings: Settings) -> None:
    """No city shortens what a resident may count on while money is inside. Raises Unfit."""
    cash, settlement, timing = settings.cash, settings.settlement, settings.timing
    rules = [
        (cash.next_note_s >= INSIDE_S_MIN, f"cash.next_note_s is {INSIDE_S_MIN:.0f} at least (money-rules 13)"),
        (cash.first_note_s >= ANSWER_S_MIN, f"cash.first_note_s is {ANSWER_S_MIN:.0f} at least"),
        (timing.question_s >= ANSWER_S_MIN, f"timing.question_s is {ANSWER_S_MIN:.0f} at least"),
        (timing.question_slow_s >= timing.question_s, "timing.question_slow_s is not below question_s"),
        (settlement.processing_s_max >= PROCESSING_S_MIN, "settlement.processing_s_max is too short (money-rules 10)"),
        (0 < settlement.unknown_s_max <= UNKNOWN_S_MAX, "settlement.unknown_s_max is 90 at most (money-rules 10)"),
    ]
    for holds, rule in rules:
        if not holds:
            raise Unfit(f"settings: {rule}")


def _only_a_citys(hosts: Any) -> None:
    if not isinstance(hosts, Mapping):
        raise Unfit("hosts is a table")
    for name, host in hosts.items():
        if host is not None and (not isinstance(host, Mapping) or not HOST_MAY_SET.issuperset(host)):
            raise Unfit(f"hosts.{name}: only {', '.join(sorted(HOST_MAY_SET))} are the city's to set")
        if host and not str(host.get("url", "https://")).startswith("tls://" if name == "bank" else "https://"):
            raise Unfit(f"hosts.{name}: its address is not encrypted")


def _for_a_look(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Without hosts that are taken away, and an address where only something else of a host is set."""
    hosts = {name: {"url": "-", **host} for name, host in settings.get("hosts", {}).items() if host is not None}
    return {**settings, "hosts": hosts}


def _check_bodies(settings: Mapping[str, Any], names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise Unfit("two bodies have one name")
    for value in _leaves(settings):
        if value.startswith(BODY):
            wanted = value.removeprefix(BODY)
            if not re.match(BODY_NAME, wanted) or not any(
                one == wanted or one.startswith(f"{wanted}/") for one in names
            ):
                raise Unfit("it speaks of a body that does not come with it")
        elif value.startswith("/"):
            raise Unfit("a path is not the city's to set; it gives a body")


def _leaves(tree: Any) -> Iterable[str]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            if name != "path":  # of the medical insurance's gateway: an address, not a file
                yield from _leaves(value)
    elif isinstance(tree, str):
        yield tree


def _depth(tree: Any) -> int:
    branches = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list) else ()
    return 1 + max((_depth(one) for one in branches), default=0)


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Table by table; None takes away what lies below."""
    found = dict(below)
    for name, value in above.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, Mapping):
            lower = found.get(name)
            found[name] = laid_over(lower if isinstance(lower, Mapping) else {}, value)
        else:
            found[name] = value
    return found


def with_bodies(tree: Mapping[str, Any], files: Mapping[str, str], folder: str) -> dict[str, Any]:
    """``body:NAME`` as its path in ``files``; where it is a folder of bodies, below ``folder``.

    A file has another path when its content is another, so that who reads it at start is started anew; a folder's path
    stays, for those who look into it again and again.
    """
    return {name: _placed(value, files, folder) for name, value in tree.items()}


def _placed(value: Any, files: Mapping[str, str], folder: str) -> Any:
    if isinstance(value, Mapping):
        return with_bodies(value, files, folder)
    if not isinstance(value, str) or not value.startswith(BODY):
        return value
    name = value.removeprefix(BODY)
    return files.get(name) or f"{folder}/{name}"


def difference(before: Mapping[str, Any], after: Mapping[str, Any], names_max: int = 12) -> list[str]:
    """Dotted names of what differs, no values: some are addresses of persons."""
    found = sorted(name[:NAME_CHARACTERS_MAX] for name in _differing(before, after, ()))
    return found[:names_max] + ([f"and {len(found) - names_max} more"] if len(found) > names_max else [])


def _differing(before: Any, after: Any, at: tuple[str, ...]) -> Iterable[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before.keys() | after.keys():
            yield from _differing(before.get(name), after.get(name), (*at, name))
    elif before != after:
        yield ".".join(at)
