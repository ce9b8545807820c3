"""Modules with their files and notes, sets, and the types of both."""

from collections.abc import AsyncGenerator, Iterator
from typing import Annotated, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioning.fleet.actor import NotFound
from provisioning.fleet.ddi.routes import served
from provisioning.fleet.management import shapes
from provisioning.fleet.management.door import Asked, answered, deletes, must, program_of, reads, takes
from provisioning.fleet.management.pages import page, whole
from provisioning.fleet.schema.software import Artifact, DistributionSet, SoftwareModule, SoftwareType
from provisioning.fleet.software import catalogue, store
from provisioning.fleet.software.assign import set_of
from provisioning.fleet.web import in_threads

FORM_BYTES_BESIDE = 65_536  # of an upload, beside the file
NAMES = ("id", "name", "version", "description", "createdby", "createdat", "lastmodifiedat", "type")
Key = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Version = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Words = Annotated[str, msgspec.Meta(max_length=512)]
Kind = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Reference(msgspec.Struct):
    id: Key


class NewModule(msgspec.Struct):
    name: Name
    version: Version
    type: Kind
    vendor: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    description: Words | None = None


class ChangedModule(msgspec.Struct):
    vendor: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    description: Words | None = None


class NewSet(msgspec.Struct, rename="camel"):
    name: Name
    version: Version
    type: Kind
    description: Words | None = None
    modules: list[Reference] | None = None
    required_migration_step: bool | None = None


class Note(msgspec.Struct):
    key: Name
    value: Annotated[str, msgspec.Meta(max_length=4000)]


def _columns(table: Any) -> dict[str, Any]:
    own = (table.id, table.name, table.version, table.description, table.created_by, table.created_ms)
    return dict(zip(NAMES, (*own, table.changed_ms, table.kind), strict=True))


def modules(asked: Asked) -> Any:
    rows = SoftwareModule.select().where((SoftwareModule.tenant == asked.actor.tenant) & ~SoftwareModule.deleted)
    fields = {**_columns(SoftwareModule), "vendor": SoftwareModule.vendor}
    return page(asked, rows, fields, lambda part: [shapes.module(one, asked.base) for one in part])


def make_modules(asked: Asked, told: list[NewModule]) -> Any:
    made = [
        catalogue.make_module(
            asked.actor, one.type, one.name, one.version, asked.at_ms,
            vendor=one.vendor or "", description=one.description or "",
        )
        for one in told
    ]  # fmt: skip
    return [shapes.module(one, asked.base) for one in made]


def one_module(asked: Asked) -> Any:
    return shapes.module(catalogue.module_of(asked.actor, asked.key("module")), asked.base)


def change_module(asked: Asked, told: ChangedModule) -> Any:
    words = {name: value for name, value in msgspec.to_builtins(told).items() if value is not None}
    return shapes.module(catalogue.describe_module(asked.actor, asked.key("module"), words, asked.at_ms), asked.base)


def drop_module(asked: Asked) -> None:
    catalogue.put_aside(asked.actor, catalogue.module_of(asked.actor, asked.key("module")), asked.at_ms)


def notes(asked: Asked) -> Any:
    module = catalogue.module_of(asked.actor, asked.key("module"))
    return whole([_note(key, value) for key, value in sorted(module.notes.items())])


def add_notes(asked: Asked, told: list[Note]) -> Any:
    catalogue.note(asked.actor, asked.key("module"), {one.key: one.value for one in told}, asked.at_ms)
    return [_note(one.key, one.value) for one in told]


def _note(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": value, "targetVisible": True}


def artifacts(asked: Asked) -> Any:
    """A bare list, as hawkBit's."""
    module = catalogue.module_of(asked.actor, asked.key("module"))
    rows = Artifact.select().where(Artifact.module == module.id).order_by(Artifact.id)
    return [shapes.artifact(one, asked.base) for one in rows]


def one_artifact(asked: Asked) -> Any:
    return shapes.artifact(_artifact(asked), asked.base)


def drop_artifact(asked: Asked) -> None:
    catalogue.drop_artifact(asked.actor, asked.key("module"), asked.key("artifact"), asked.at_ms)


def download(asked: Asked) -> Response:
    return served(_artifact(asked))


def _artifact(asked: Asked) -> Artifact:
    module = catalogue.module_of(asked.actor, asked.key("module"))
    return must(Artifact.get_or_none((Artifact.id == asked.key("artifact")) & (Artifact.module == module.id)))


async def upload(request: Request) -> Response:
    """``multipart/form-data`` with one part ``file``; ``filename`` names it otherwise. Never in memory as a whole."""
    asked = await in_threads(program_of, request, "write")
    await in_threads(catalogue.module_of, asked.actor, asked.key("module"))
    try:
        form = await MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=4).parse()
    except (MultiPartException, KeyError) as error:
        raise HTTPException(400, f"This is no upload: {error}"[:200]) from None
    try:
        sent = form.get("file")
        if sent is None or isinstance(sent, str):
            raise HTTPException(400, "The file goes as the part called file.")
        named = request.query_params.get("filename") or form.get("filename") or sent.filename
        return answered(await in_threads(_keep, asked, str(named or ""), sent.file), 201)
    finally:
        await form.close()


def _keep(asked: Asked, filename: str, file: Any) -> Any:
    file.seek(0)
    kept = store.keep(asked.fleet.settings.artifacts_path, iter(lambda: file.read(store.PIECE_BYTES), b""))
    made = catalogue.add_artifact(asked.actor, asked.key("module"), filename, kept, asked.at_ms)
    return shapes.artifact(made, asked.base)


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > store.ARTIFACT_BYTES_MAX + FORM_BYTES_BESIDE:
            raise HTTPException(413, f"An artifact has at most {store.ARTIFACT_BYTES_MAX} bytes.")
        yield part


def sets(asked: Asked) -> Any:
    rows = DistributionSet.select().where((DistributionSet.tenant == asked.actor.tenant) & ~DistributionSet.deleted)
    return page(asked, rows, _columns(DistributionSet), lambda part: [set_shape(asked, one) for one in part])


def set_shape(asked: Asked, row: DistributionSet) -> dict[str, Any]:
    complete = catalogue.complete(asked.actor, row)
    return shapes.distribution_set(row, catalogue.modules_of(row), complete, asked.base)


def make_sets(asked: Asked, told: list[NewSet]) -> Any:
    made = [
        catalogue.make_set(
            asked.actor, one.type, one.name, one.version, [part.id for part in one.modules or []], asked.at_ms,
            description=one.description or "", required_migration_step=bool(one.required_migration_step),
        )
        for one in told
    ]  # fmt: skip
    return [set_shape(asked, one) for one in made]


def one_set(asked: Asked) -> Any:
    return set_shape(asked, set_of(asked.actor, asked.key("set")))


def drop_set(asked: Asked) -> None:
    catalogue.put_aside(asked.actor, set_of(asked.actor, asked.key("set")), asked.at_ms)


def modules_of_set(asked: Asked) -> Any:
    chosen = set_of(asked.actor, asked.key("set"))
    return whole([shapes.module(one, asked.base) for one in catalogue.modules_of(chosen)])


def put_modules(asked: Asked, told: list[Reference]) -> None:
    catalogue.put_modules(asked.actor, asked.key("set"), [one.id for one in told], asked.at_ms)


def take_module(asked: Asked) -> None:
    catalogue.take_module(asked.actor, asked.key("set"), asked.key("module"), asked.at_ms)


def _types(asked: Asked, of: str) -> Iterator[SoftwareType]:
    catalogue.ensure_types(asked.actor, asked.at_ms)
    mine = (SoftwareType.tenant == asked.actor.tenant) & (SoftwareType.of == of)
    yield from SoftwareType.select().where(mine).order_by(SoftwareType.id)


def module_types(asked: Asked) -> Any:
    return whole([shapes.kind(one, asked.base) for one in _types(asked, "module")])


def set_types(asked: Asked) -> Any:
    return whole([shapes.kind(one, asked.base) for one in _types(asked, "set")])


def one_module_type(asked: Asked) -> Any:
    return _one_type(asked, "module")


def one_set_type(asked: Asked) -> Any:
    return _one_type(asked, "set")


def _one_type(asked: Asked, of: str) -> Any:
    for one in _types(asked, of):
        if one.id == asked.key("kind"):
            return shapes.kind(one, asked.base)
    raise NotFound


_M, _S = "/rest/v1/softwaremodules", "/rest/v1/distributionsets"
ROUTES = [
    Route("/rest/v1/softwaremoduletypes", reads(module_types)),
    Route("/rest/v1/softwaremoduletypes/{kind:key}", reads(one_module_type)),
    Route("/rest/v1/distributionsettypes", reads(set_types)),
    Route("/rest/v1/distributionsettypes/{kind:key}", reads(one_set_type)),
    Route(_M, reads(modules)),
    Route(_M, takes(list[NewModule], make_modules, 201), methods=["POST"]),
    Route(f"{_M}/{{module:key}}", reads(one_module)),
    Route(f"{_M}/{{module:key}}", takes(ChangedModule, change_module), methods=["PUT"]),
    Route(f"{_M}/{{module:key}}", deletes(drop_module), methods=["DELETE"]),
    Route(f"{_M}/{{module:key}}/metadata", reads(notes)),
    Route(f"{_M}/{{module:key}}/metadata", takes(list[Note], add_notes, 201), methods=["POST"]),
    Route(f"{_M}/{{module:key}}/artifacts", reads(artifacts)),
    Route(f"{_M}/{{module:key}}/artifacts", upload, methods=["POST"]),
    Route(f"{_M}/{{module:key}}/artifacts/{{artifact:key}}", reads(one_artifact)),
    Route(f"{_M}/{{module:key}}/artifacts/{{artifact:key}}", deletes(drop_artifact), methods=["DELETE"]),
    Route(f"{_M}/{{module:key}}/artifacts/{{artifact:key}}/download", reads(download)),
    Route(_S, reads(sets)),
    Route(_S, takes(list[NewSet], make_sets, 201), methods=["POST"]),
    Route(f"{_S}/{{set:key}}", reads(one_set)),
    Route(f"{_S}/{{set:key}}", deletes(drop_set), methods=["DELETE"]),
    Route(f"{_S}/{{set:key}}/assignedSM", reads(modules_of_set)),
    Route(f"{_S}/{{set:key}}/assignedSM", takes(list[Reference], put_modules), methods=["POST"]),
    Route(f"{_S}/{{set:key}}/assignedSM/{{module:key}}", deletes(take_module), methods=["DELETE"]),
]
