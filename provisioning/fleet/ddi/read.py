"""What a device says, in DDI's shapes; a word that hawkBit does not know is refused."""

from typing import Annotated, Literal

import msgspec

BODY_BYTES_MAX = 262_144
ATTRIBUTES_MAX = 100  # of a terminal, as hawkBit's quota
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Value = Annotated[str, msgspec.Meta(max_length=512)]
Words = Annotated[str, msgspec.Meta(max_length=4096)]
Code = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=2**62)]

# Execution of a deployment -> status of its action; "closed" is judged by its result.
OF_DEPLOYMENT = {
    "canceled": "canceled", "rejected": "warning", "download": "download", "downloaded": "downloaded",
    "proceeding": "running", "scheduled": "running", "resumed": "running",
}  # fmt: skip
Execution = Literal["proceeding", "scheduled", "resumed", "download", "downloaded", "canceled", "rejected", "closed"]


class Progress(msgspec.Struct):
    cnt: int = 0
    of: int | None = None


class Result(msgspec.Struct):
    finished: Literal["success", "failure", "none"]
    progress: Progress | None = None


class Status(msgspec.Struct):
    execution: Execution
    result: Result
    code: Code | None = None
    details: Annotated[list[Words], msgspec.Meta(max_length=50)] | None = None


class Feedback(msgspec.Struct):
    """``timestamp``: milliseconds by the device's clock, None where it tells none (SWUpdate). ``id`` and ``time`` of
    older clients are passed over: the latter has no zone."""

    status: Status
    timestamp: Millis | None = None


class Consent(msgspec.Struct):
    confirmation: Literal["confirmed", "denied"]
    code: Code | None = None
    details: Annotated[list[Words], msgspec.Meta(max_length=50)] | None = None


class ConfigData(msgspec.Struct):
    data: Annotated[dict[Key, Value], msgspec.Meta(max_length=ATTRIBUTES_MAX)]
    mode: Literal["merge", "replace", "remove"] = "merge"


class Installed(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


def of_deployment(status: Status) -> str:
    if status.execution == "closed":
        return "error" if status.result.finished == "failure" else "finished"
    return OF_DEPLOYMENT[status.execution]


def of_cancel(status: Status) -> str:
    if status.execution == "closed":
        return "error" if status.result.finished == "failure" else "canceled"
    return "cancel_rejected" if status.execution in ("canceled", "rejected") else "running"
