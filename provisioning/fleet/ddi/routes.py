"""``/{tenant}/controller/v1/{terminal_id}``: the paths of DDI, for our agent and for stock clients alike.

Source: documentation of Eclipse hawkBit, DDI API. A terminal is never registered by asking: it is known before.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.ddi import desk, read, shapes
from provisioning.fleet.identity import Caller, terminal_of
from provisioning.fleet.nginx import ARTIFACTS
from provisioning.fleet.schema.software import Action, Artifact
from provisioning.fleet.software import feedback
from provisioning.fleet.software.feedback import Told
from provisioning.fleet.software.store import path_in
from provisioning.fleet.web import DESCRIBED, Described, Fleet, fleet_of, in_threads, short_body
from provisioning.rules.update_window import OVER_METERED

BASE = "/{tenant}/controller/v1/{terminal_id}"
HAL = "application/hal+json"
T = TypeVar("T")


class Desk:
    """One question: who asks, and where."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.caller: Caller = terminal_of(request)
        self.fleet: Fleet = fleet_of(request)
        self.at_ms = self.fleet.now_ms()
        self.base = f"{self.fleet.settings.device_url}/{self.caller.tenant}/controller/v1/{self.caller.terminal_id}"

    def action(self) -> Action:
        return feedback.action_of(self.caller.actor, self.caller.key, self.request.path_params["action"])

    def answer(self, told: Any) -> Response:
        """With an ETag: most of what is asked again and again has not changed."""
        body = json.dumps(told, separators=(",", ":")).encode()
        mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if self.request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers={"ETag": mark})
        return Response(body, headers={"ETag": mark}, media_type=HAL)


def root(request: Request) -> Response:
    one = Desk(request)
    if not one.caller.certificate:
        desk.seen(one.caller, one.at_ms)
    return one.answer(shapes.root(one.base, desk.sleep_s(one.caller), desk.links(one.caller)))


def deployment_base(request: Request) -> Response:
    """Raises NotFound: the action is to be left, waits for consent, or has ended."""
    one = Desk(request)
    action = one.action()
    if not action.active or desk.leaves(action) or not action.confirmed:
        raise NotFound
    feedback.retrieved(action, one.at_ms)
    return one.answer(_told(one, action, "deployment"))


def installed_base(request: Request) -> Response:
    one = Desk(request)
    action = one.action()
    if action.status != "finished":
        raise NotFound
    return one.answer(_told(one, action, "deployment"))


def confirmation_base(request: Request) -> Response:
    one = Desk(request)
    action = one.action()
    if not action.active or action.confirmed:
        raise NotFound
    return one.answer(_told(one, action, "confirmation"))


def _told(one: Desk, action: Action, name: str) -> dict[str, Any]:
    notes = {OVER_METERED: "true"} if desk.over_metered(action) else {}
    told = {"id": str(action.id), name: shapes.deployment(action, desk.chunks(action), one.base, one.at_ms, notes)}
    count = _history_count(one.request)
    return {**told, "actionHistory": shapes.history(action, desk.history(action, count))} if count else told


def _history_count(request: Request) -> int:
    try:
        return max(-1, min(int(request.query_params.get("actionHistory", 0)), 1000))
    except ValueError:
        raise HTTPException(400, "actionHistory is a number.") from None


def consent(request: Request) -> Response:
    """Whether this terminal asks somebody before each update, and how to change that."""
    one = Desk(request)
    always = desk.consents(one.caller)
    word = "deactivateAutoConfirm" if always else "activateAutoConfirm"
    told = {"active": always, "_links": {word: {"href": f"{one.base}/confirmationBase/{word}"}}}
    links = {name: {"href": f"{one.base}/{path}"} for name, path in desk.links(one.caller).items()}
    waits = {"_links": {"confirmationBase": links["confirmationBase"]}} if "confirmationBase" in links else {}
    return one.answer({"autoConfirm": told, **waits})


def cancel_action(request: Request) -> Response:
    one = Desk(request)
    action = one.action()
    if not action.active or not desk.leaves(action):
        raise NotFound
    return one.answer({"id": str(action.id), "cancelAction": {"stopId": str(action.id)}})


def modules_files(request: Request) -> Response:
    one = Desk(request)
    module = desk.module_for(one.caller, request.path_params["module"])
    return one.answer([shapes.artifact(file, one.base) for file in desk.files_of(module.id)])


def file(request: Request) -> Response:
    """nginx sends the bytes, in pieces where the caller asks for a range (RFC 9110, 14)."""
    return served(_artifact(request))


def md5sum(request: Request) -> Response:
    """In the words of md5sum(1), as hawkBit."""
    found = _artifact(request)
    return Response(f"{found.md5}  {found.filename}", media_type="text/plain")


def served(found: Artifact) -> Response:
    headers = {
        "X-Accel-Redirect": ARTIFACTS + path_in(found.sha256),
        "X-Artifact": found.sha256,  # nginx makes the ETag of it: it hands on no ETag of ours
        "Content-Disposition": f'attachment; filename="{_plain(found.filename)}"',
        "Accept-Ranges": "bytes",
    }
    return Response(headers=headers, media_type="application/octet-stream")


def _artifact(request: Request) -> Artifact:
    one = Desk(request)
    return desk.artifact_for(one.caller, request.path_params["module"], request.path_params["filename"])


def _plain(name: str) -> str:
    return "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "_" for letter in name
    )


def _hears(shape: type[T], keep: Callable[[Desk, T], None]) -> Callable[[Request], Any]:
    """A route that takes JSON of ``shape`` and answers with nothing."""
    decoder = msgspec.json.Decoder(shape)

    async def route(request: Request) -> Response:
        wire = await short_body(request, read.BODY_BYTES_MAX)
        await in_threads(_keep, request, wire)
        return Response()

    def _keep(request: Request, wire: bytes) -> None:
        desk = Desk(request)  # who asks comes before what is told: a stranger hears nothing of its shape
        try:
            keep(desk, decoder.decode(wire))
        except Refused as error:
            if error.code == "gone":
                raise HTTPException(410, str(error)) from None
            raise

    DESCRIBED[route] = Described(keep, shape)
    return route


def _keep_deployment(one: Desk, told: read.Feedback) -> None:
    word = Told(read.of_deployment(told.status), *_words(one, told))
    feedback.tell(one.caller.actor, one.caller.key, one.request.path_params["action"], word, one.at_ms)


def _keep_cancel(one: Desk, told: read.Feedback) -> None:
    status = read.of_cancel(told.status)
    word = Told(status, *_words(one, told))
    feedback.tell_cancel(one.caller.actor, one.caller.key, one.request.path_params["action"], status, word, one.at_ms)


def _keep_consent(one: Desk, told: read.Consent) -> None:
    agreed = told.confirmation == "confirmed"
    word = Told("running" if agreed else feedback.WAITING, one.at_ms, told.code, told.details or [])
    feedback.confirm(one.caller.actor, one.caller.key, one.request.path_params["action"], agreed, word, one.at_ms)


def _words(one: Desk, told: read.Feedback) -> tuple[int, int | None, list[str]]:
    at_ms = one.at_ms if told.timestamp is None else told.timestamp
    return at_ms, told.status.code, told.status.details or []


def _keep_installed(one: Desk, told: read.Installed) -> None:
    feedback.installed_elsewhere(one.caller.actor, one.caller.key, told.name, told.version, one.at_ms)


def _keep_attributes(one: Desk, told: read.ConfigData) -> None:
    desk.keep_attributes(one.caller, told)


def always_consent(request: Request) -> Response:
    return _set_consent(request, True)


def ask_for_consent(request: Request) -> Response:
    return _set_consent(request, False)


def _set_consent(request: Request, always: bool) -> Response:
    desk.set_consent(Desk(request).caller, always)
    return Response()


ACTION = "{action:key}"
ROUTES = [
    Route(BASE, root),
    Route(f"{BASE}/configData", _hears(read.ConfigData, _keep_attributes), methods=["PUT"]),
    Route(f"{BASE}/deploymentBase/{ACTION}", deployment_base),
    Route(f"{BASE}/deploymentBase/{ACTION}/feedback", _hears(read.Feedback, _keep_deployment), methods=["POST"]),
    Route(f"{BASE}/cancelAction/{ACTION}", cancel_action),
    Route(f"{BASE}/cancelAction/{ACTION}/feedback", _hears(read.Feedback, _keep_cancel), methods=["POST"]),
    Route(f"{BASE}/installedBase", _hears(read.Installed, _keep_installed), methods=["PUT"]),
    Route(f"{BASE}/installedBase/{ACTION}", installed_base),
    Route(f"{BASE}/confirmationBase", consent),
    Route(f"{BASE}/confirmationBase/activateAutoConfirm", always_consent, methods=["POST"]),
    Route(f"{BASE}/confirmationBase/deactivateAutoConfirm", ask_for_consent, methods=["POST"]),
    Route(f"{BASE}/confirmationBase/{ACTION}", confirmation_base),
    Route(f"{BASE}/confirmationBase/{ACTION}/feedback", _hears(read.Consent, _keep_consent), methods=["POST"]),
    Route(f"{BASE}/softwaremodules/{{module:key}}/artifacts", modules_files),
    Route(f"{BASE}/softwaremodules/{{module:key}}/artifacts/{{filename}}.MD5SUM", md5sum),
    Route(f"{BASE}/softwaremodules/{{module:key}}/artifacts/{{filename}}", file),
]
