"""hawkBit's Direct Device Integration, the shapes of it: what the fleet says of updates, and what a terminal answers.

Source: hawkBit, "DDI API" (docs and the OpenAPI document of 1.0). Fields that we do not know are passed over, as a
server of another version may send them. Of every link only the path counts: whoever answers cannot send us elsewhere.
"""

from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from provisioning.rules.update_window import OVER_METERED, Wish
from provisioning.terminal.updates.refused import UpdateRefused

CHUNKS_MAX, ARTIFACTS_MAX, NOTES_MAX = 16, 16, 256
HREF_CHARACTERS_MAX = 1000
DETAIL_CHARACTERS_MAX = 500
Execution = Literal["proceeding", "scheduled", "resumed", "download", "downloaded", "canceled", "rejected", "closed"]
Finished = Literal["success", "failure", "none"]
Shape = TypeVar("Shape", bound="_Part")


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Link(_Part, frozen=True):
    href: Annotated[str, msgspec.Meta(max_length=HREF_CHARACTERS_MAX)]


class Root(_Part, frozen=True):
    """What is due: a link is there only then. ``configData`` wants to know what kind of terminal this is."""

    config: dict[str, Any] = {}
    links: dict[str, Link] = msgspec.field(default_factory=dict, name="_links")

    @property
    def sleep_s(self) -> float | None:
        """``HH:mm:ss`` of ``config.polling.sleep``."""
        polling = self.config.get("polling")
        told = polling.get("sleep") if isinstance(polling, dict) else None
        parts = told.split(":") if isinstance(told, str) else []
        if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 3 for part in parts):
            return None
        hours, minutes, seconds = map(int, parts)
        return float(hours * 3600 + minutes * 60 + seconds)


class Artifact(_Part, frozen=True):
    filename: str
    hashes: dict[str, str]
    size: Annotated[int, msgspec.Meta(ge=0)]
    links: dict[str, Link] = msgspec.field(default_factory=dict, name="_links")


class Note(_Part, frozen=True):
    """hawkBit's ``metadata`` of a module."""

    key: str
    value: str = ""


class Chunk(_Part, frozen=True):
    part: str
    version: str
    name: str
    metadata: Annotated[list[Note], msgspec.Meta(max_length=NOTES_MAX)] = []
    artifacts: Annotated[list[Artifact], msgspec.Meta(max_length=ARTIFACTS_MAX)] = []


class Deployment(_Part, frozen=True):
    download: Wish
    update: Wish
    maintenance_window: Literal["available", "unavailable", ""] = ""
    chunks: Annotated[list[Chunk], msgspec.Meta(max_length=CHUNKS_MAX)] = []

    @property
    def over_metered(self) -> bool:
        return any(note == Note(key=OVER_METERED, value="true") for chunk in self.chunks for note in chunk.metadata)


class DeploymentBase(_Part, frozen=True):
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    deployment: Deployment


class Confirmation(_Part, frozen=True):
    """``confirmationBase/ACTION``: the deployment, shown before it is wanted."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    confirmation: Deployment


class _Stop(_Part, frozen=True):
    stop_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class CancelAction(_Part, frozen=True):
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    cancel_action: _Stop


class Feedback(_Part, frozen=True):
    """What became of an action, to be told. ``about``: deploymentBase | cancelAction | confirmationBase.

    Of a confirmation ``execution`` is ``confirmed`` or ``denied`` instead.
    """

    about: str
    action: str
    execution: str
    finished: Finished = "none"
    details: list[str] = []
    at_ms: int = 0


def read_root(body: Any) -> Root:
    return _read(body, Root)


def read_deployment(body: Any) -> DeploymentBase:
    return _read(body, DeploymentBase)


def read_cancel(body: Any) -> CancelAction:
    return _read(body, CancelAction)


def read_confirmation(body: Any) -> Confirmation:
    return _read(body, Confirmation)


def path_of(link: Link) -> str:
    """Path and query. Raises UpdateRefused ``not_ddi``."""
    parts = urlsplit(link.href)
    if not parts.path.startswith("/") or parts.path.startswith("//") or ".." in parts.path.split("/"):
        raise UpdateRefused("not_ddi", "a link without a path")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def feedback_body(told: Feedback) -> dict[str, Any]:
    details = [words[:DETAIL_CHARACTERS_MAX] for words in told.details]
    if told.about == "confirmationBase":
        return {"confirmation": told.execution, "details": details}
    status = {"execution": told.execution, "result": {"finished": told.finished}, "details": details}
    # ``id`` and ``time`` were wanted by servers before 0.4 and are passed over by later ones.
    return {"id": told.action, "timestamp": told.at_ms, "status": status}


def the_one(deployment: Deployment, kinds: dict[str, str]) -> tuple[str, Artifact]:
    """Kind and artifact to install. ``kinds``: part as servers call it -> kind of release.

    Raises:
        UpdateRefused: ``not_for_us``: no chunk, several, of a part that nobody here installs, or without a SHA-256.
    """
    if len(deployment.chunks) != 1 or len(deployment.chunks[0].artifacts) != 1:
        raise UpdateRefused("not_for_us", "one module with one file is installed at a time")
    chunk, artifact = deployment.chunks[0], deployment.chunks[0].artifacts[0]
    kind = kinds.get(chunk.part)
    if kind is None:
        raise UpdateRefused("not_for_us", f"nothing here installs {chunk.part}"[:120])
    if "sha256" not in artifact.hashes:
        raise UpdateRefused("not_for_us", "the file has no SHA-256")
    return kind, artifact


def _read(body: Any, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise UpdateRefused("not_ddi", str(error)[:160]) from None
