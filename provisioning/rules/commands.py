"""Commands of a city to one terminal: which there are, how long they may wait, and when one is not obeyed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from kiosk.basics.signed import Trusted
from kiosk.domain.health import SLOTS

KIND = "command"
HOUR_S, DAY_S = 3600, 86_400
COMMANDS_WAITING_MAX = 20  # for one terminal; told with one poll
ISSUED_AHEAD_S_MAX = 600.0  # a command from further ahead than this is no command of today
LINES_MAX = 2000

Act = Literal[
    "out_of_service", "back_in_service", "restart", "reboot", "logs", "picture", "doctor", "test_page", "swap",
    "decommission", "wipe",
]  # fmt: skip


class NotObeyed(Exception):
    """It is not done. The message says why, for people. ``result``: refused or expired where nothing was begun."""

    def __init__(self, why: str, result: Literal["refused", "expired", "failed"] = "refused") -> None:
        super().__init__(why)
        self.result: Literal["refused", "expired", "failed"] = result


@dataclass(frozen=True)
class Rule:
    """``right``: of ``provisioning.fleet.roles.ACTS``, for one terminal; ``right_of_place``: for a whole one.
    ``stands_s``: how long it may wait for a terminal that is dark. ``fits``: whether its arguments are what it takes.
    """

    right: str
    stands_s: int
    fits: Callable[[Mapping[str, Any]], bool]
    right_of_place: str = ""


def _nothing(arguments: Mapping[str, Any]) -> bool:
    return not arguments


def _lines(arguments: Mapping[str, Any]) -> bool:
    lines = arguments.get("lines", LINES_MAX)
    return set(arguments) <= {"lines"} and isinstance(lines, int) and 0 < lines <= LINES_MAX


def _slot(arguments: Mapping[str, Any]) -> bool:
    return set(arguments) == {"slot"} and arguments["slot"] in SLOTS


def _printer(arguments: Mapping[str, Any]) -> bool:
    return set(arguments) == {"slot"} and arguments["slot"] in ("receipt_printer", "page_printer")


# A terminal may be dark for a week: what must reach it whenever it wakes stands long, what helps only now does not.
RULES: Mapping[str, Rule] = {
    "out_of_service": Rule("out_of_service", 14 * DAY_S, _nothing),
    "back_in_service": Rule("back_in_service", 14 * DAY_S, _nothing),
    "restart": Rule("restart", DAY_S, _nothing),
    "reboot": Rule("reboot", DAY_S, _nothing, right_of_place="reboot_place"),
    "logs": Rule("logs", DAY_S, _lines),
    "picture": Rule("picture", HOUR_S, _nothing),
    "doctor": Rule("doctor", DAY_S, _nothing),
    "test_page": Rule("test_page", HOUR_S, _printer),
    "swap": Rule("swap", DAY_S, _slot),
    "decommission": Rule("decommission", 14 * DAY_S, _nothing),
    "wipe": Rule("wipe", 30 * DAY_S, _nothing),
}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a signed ``command``."""

    command: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}$")]
    tenant: str
    terminal_id: str
    act: Act
    arguments: dict[str, Any] = {}
    epoch: int = 0


def read_command(document: Trusted, tenant: str, terminal_id: str, now: datetime) -> Command:
    """Raises NotObeyed: of another city or terminal, expired, from days ahead, unknown, or with wrong arguments."""
    try:
        command = msgspec.convert(document.content, Command)
    except msgspec.ValidationError as error:
        raise NotObeyed(f"this terminal knows no such command: {error}") from None
    if command.tenant != tenant or command.terminal_id != terminal_id:
        raise NotObeyed("it is for another terminal")
    if document.expires_at <= now:
        raise NotObeyed("it came too late", "expired")
    if (document.issued_at - now).total_seconds() > ISSUED_AHEAD_S_MAX:
        raise NotObeyed("it is from ahead of this terminal's time")
    if not RULES[command.act].fits(command.arguments):
        raise NotObeyed("its arguments are not what this command takes")
    return command
