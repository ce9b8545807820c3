"""A server in the shape of Eclipse hawkBit, seen from a device: its Direct Device Integration API, in memory.

Written from hawkBit's public documents (eclipse.dev/hawkbit/apis/ddi_api and the OpenAPI document beside it), for who
integrates a terminal with a stock server: the states of an action, links only when due, 410 for an action that ended,
errors as ``{"exceptionClass", "errorCode", "message"}``, artifacts with ranges. No management API: ``offer`` and
``cancel`` are called by whoever holds the object.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_SLEEP = "00:05:00"
ENDED = ("finished", "error", "canceled")
MEDIA = "application/hal+json"
# What feedback makes of an action, by execution and result (DDI API, "State Machine Mapping").
_CLOSED = {"success": "finished", "none": "finished", "failure": "error"}
_RUNNING = ("proceeding", "scheduled", "resumed", "download", "downloaded", "rejected")


@dataclass(frozen=True)
class Told:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Artifact:
    """``content`` may be changed by a test that wants a server to lie about its hash."""

    filename: str
    content: bytes
    hashes: dict[str, str]
    etag: str = '"1"'
    ranges: bool = True


@dataclass
class Action:
    """``status``: running | wait_for_confirmation | canceling | cancel_rejected | finished | error | canceled."""

    id: str
    controller: str
    name: str
    version: str
    part: str
    artifact: Artifact
    download: str = "forced"
    update: str = "forced"
    window: str = ""
    status: str = "running"
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)  # metadata of its module
    stops: str = ""  # number of the cancelation while it is canceling

    @property
    def told(self) -> list[str]:
        """What the device said it did, in its order."""
        return [one["status"]["execution"] for one in self.history]


class Refusal(Exception):
    """An error of the server's own, with hawkBit's words for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass
class Hawkbit:
    """``base``: its own address, which it writes into links. ``target_token``, ``gateway_token``: "" is not accepted;
    with neither whoever asks is let in, as behind a proxy that proves certificates."""

    tenant: str = "DEFAULT"
    base: str = "https://hawkbit.invalid"
    sleep: str = DEFAULT_SLEEP
    target_token: str = ""
    gateway_token: str = ""
    actions: dict[str, Action] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    installed: dict[str, dict[str, str]] = field(default_factory=dict)
    controllers: set[str] = field(default_factory=set)
    _numbers: int = 0

    def offer(
        self,
        controller: str,
        version: str,
        filename: str,
        content: bytes,
        part: str = "bApp",
        confirm: bool = False,
        download: str = "forced",
        update: str = "forced",
        window: str = "",
    ) -> Action:
        """A new action. ``download``, ``update``: skip | attempt | forced; ``window``: available | unavailable."""
        hashes = {
            name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in ("sha1", "md5", "sha256")
        }
        artifact = Artifact(filename, content, hashes)
        action = Action(self._number(), controller, "application", version, part, artifact, download, update, window)
        action.status = "wait_for_confirmation" if confirm else "running"
        self.actions[action.id] = action
        return action

    def cancel(self, action: Action) -> None:
        action.status, action.stops = "canceling", self._number()

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Told:
        """``path`` with its query; names of ``headers`` in any case."""
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            self._let_in(lower)
            return self._routed(method, path.partition("?")[0], lower, body)
        except Refusal as no:
            told = {"exceptionClass": "org.eclipse.hawkbit", "errorCode": no.code, "message": no.message}
            return Told(no.status, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def _let_in(self, headers: Mapping[str, str]) -> None:
        allowed = {f"TargetToken {self.target_token}"} if self.target_token else set()
        allowed |= {f"GatewayToken {self.gateway_token}"} if self.gateway_token else set()
        if allowed and headers.get("authorization") not in allowed:
            raise Refusal(401, "hawkbit.server.error.insufficientpermission", "no valid token")

    def _routed(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Told:
        routes: list[tuple[str, str, Callable[..., Told]]] = [
            ("GET", r"", self._root),
            ("PUT", r"/configData", self._config),
            ("GET", r"/deploymentBase/(\w+)", self._deployment),
            ("POST", r"/deploymentBase/(\w+)/feedback", self._feedback),
            ("GET", r"/cancelAction/(\w+)", self._cancelation),
            ("POST", r"/cancelAction/(\w+)/feedback", self._cancel_feedback),
            ("GET", r"/confirmationBase/(\w+)", self._confirmation),
            ("POST", r"/confirmationBase/(\w+)/feedback", self._confirm_feedback),
            ("PUT", r"/installedBase", self._offline),
            ("GET", r"/softwaremodules/(\w+)/artifacts/([^/]+)", self._artifact),
        ]
        for verb, shape, handle in routes:
            found = re.fullmatch(rf"/{self.tenant}/controller/v1/([^/]+){shape}", path)
            if found and verb == method:
                controller, *rest = found.groups()
                self.controllers.add(controller)
                return handle(_Asked(controller, headers, body), *rest)
        raise Refusal(404, "hawkbit.server.error.repo.entitiyNotFound", "no such resource")

    def _root(self, asked: "_Asked") -> Told:
        links: dict[str, str] = {}
        base = self._of(asked.controller)
        action = next((one for one in self.actions.values() if one.controller == asked.controller and _open(one)), None)
        if asked.controller not in self.attributes:
            links["configData"] = f"{base}/configData"
        if action is not None and action.status == "canceling":
            links["cancelAction"] = f"{base}/cancelAction/{action.stops}"
        elif action is not None and action.status == "wait_for_confirmation":
            links["confirmationBase"] = f"{base}/confirmationBase/{action.id}?c=-2129030598"
        elif action is not None:
            links["deploymentBase"] = f"{base}/deploymentBase/{action.id}?c=-2129030598"
        told = {
            "config": {"polling": {"sleep": self.sleep}},
            "_links": {name: {"href": to} for name, to in links.items()},
        }
        return _json(told)

    def _config(self, asked: "_Asked") -> Told:
        told = asked.json()
        before = {} if told.get("mode") == "replace" else self.attributes.get(asked.controller, {})
        self.attributes[asked.controller] = {**before, **told["data"]}
        return Told(200)

    def _deployment(self, asked: "_Asked", number: str) -> Told:
        action = self._mine(asked, number)
        if action.status not in ("running", "cancel_rejected"):
            raise Refusal(404, "hawkbit.server.error.repo.entitiyNotFound", "action not active")
        return _json({"id": action.id, "deployment": self._described(action)})

    def _described(self, action: Action) -> dict[str, Any]:
        href = f"{self._of(action.controller)}/softwaremodules/{action.id}/artifacts/{action.artifact.filename}"
        artifact = {
            "filename": action.artifact.filename,
            "hashes": action.artifact.hashes,
            "size": len(action.artifact.content),
            "_links": {"download": {"href": href}, "md5sum": {"href": f"{href}.MD5SUM"}},
        }
        chunk = {"part": action.part, "version": action.version, "name": action.name, "artifacts": [artifact]}
        if action.notes:
            chunk["metadata"] = [{"key": key, "value": value} for key, value in action.notes.items()]
        wishes = {"download": action.download, "update": action.update}
        return {**wishes, **({"maintenanceWindow": action.window} if action.window else {}), "chunks": [chunk]}

    def _feedback(self, asked: "_Asked", number: str) -> Told:
        action, told = self._mine(asked, number), asked.json()
        if action.status in ENDED:
            raise Refusal(410, "hawkbit.server.error.action.notActive", "the action is not active any more")
        status = told["status"]
        action.history.append(told)
        if status["execution"] == "closed":
            action.status = _CLOSED[status["result"]["finished"]]
        elif status["execution"] not in _RUNNING:
            raise Refusal(400, "hawkbit.server.error.rest.body.notReadable", "no such execution")
        return Told(200)

    def _cancelation(self, asked: "_Asked", number: str) -> Told:
        action = self._stopped_by(asked, number)
        return _json({"id": number, "cancelAction": {"stopId": action.id}})

    def _cancel_feedback(self, asked: "_Asked", number: str) -> Told:
        action, told = self._stopped_by(asked, number), asked.json()
        action.history.append(told)
        execution = told["status"]["execution"]
        if execution in ("closed", "canceled"):
            action.status = "canceled"
        elif execution == "rejected":
            action.status = "cancel_rejected"
        return Told(200)

    def _confirmation(self, asked: "_Asked", number: str) -> Told:
        action = self._mine(asked, number)
        return _json({"id": action.id, "confirmation": self._described(action)})

    def _confirm_feedback(self, asked: "_Asked", number: str) -> Told:
        action, told = self._mine(asked, number), asked.json()
        if told["confirmation"] == "confirmed":
            action.status = "running"
        return Told(200)

    def _offline(self, asked: "_Asked") -> Told:
        told = asked.json()
        self.installed[asked.controller] = {"name": told["name"], "version": told["version"]}
        return Told(201)

    def _artifact(self, asked: "_Asked", number: str, filename: str) -> Told:
        artifact = self._mine(asked, number).artifact
        if artifact.filename != filename:
            raise Refusal(404, "hawkbit.server.error.repo.entitiyNotFound", "no such artifact")
        headers = {"ETag": artifact.etag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers.get("range", ""))
        if wanted is None or not artifact.ranges or asked.headers.get("if-range", artifact.etag) != artifact.etag:
            return Told(200, artifact.content, headers)
        first, total = int(wanted[1]), len(artifact.content)
        piece = artifact.content[first : int(wanted[2]) + 1]
        return Told(206, piece, {**headers, "Content-Range": f"bytes {first}-{first + len(piece) - 1}/{total}"})

    def _of(self, controller: str) -> str:
        return f"{self.base}/{self.tenant}/controller/v1/{controller}"

    def _mine(self, asked: "_Asked", number: str) -> Action:
        action = self.actions.get(number)
        if action is None or action.controller != asked.controller:
            raise Refusal(404, "hawkbit.server.error.repo.entitiyNotFound", "no such action")
        return action

    def _stopped_by(self, asked: "_Asked", number: str) -> Action:
        found = [one for one in self.actions.values() if one.stops == number and one.controller == asked.controller]
        if not found or found[0].status != "canceling":
            raise Refusal(404, "hawkbit.server.error.repo.entitiyNotFound", "no such cancelation")
        return found[0]

    def _number(self) -> str:
        self._numbers += 1
        return str(self._numbers)


@dataclass(frozen=True)
class _Asked:
    controller: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        try:
            told = json.loads(self.body)
        except ValueError:
            raise Refusal(400, "hawkbit.server.error.rest.body.notReadable", "not JSON") from None
        if not isinstance(told, dict):
            raise Refusal(400, "hawkbit.server.error.rest.body.notReadable", "not an object")
        return told


def _open(action: Action) -> bool:
    return action.status not in ENDED


def _json(told: dict[str, Any]) -> Told:
    return Told(200, json.dumps(told).encode(), {"Content-Type": MEDIA})
