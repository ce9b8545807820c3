"""Modules with their files, and sets of modules: made, changed while nobody got them yet, put aside."""

from collections.abc import Mapping, Sequence
from typing import Any

import peewee

from provisioning.fleet import audit
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.schema.software import Artifact, DistributionSet, SetModule, SoftwareModule, SoftwareType
from provisioning.fleet.software.assign import set_of
from provisioning.fleet.software.store import Kept

# hawkBit's own at its first start; a city may add others.
MODULE_TYPES = {"os": "OS", "application": "Application"}
SET_TYPES: dict[str, tuple[str, dict[str, bool]]] = {
    "os": ("OS only", {"os": True}),
    "os_app": ("OS with app(s)", {"os": True, "application": False}),
    "app": ("App(s) only", {"application": True}),
}
ARTIFACTS_MAX, MODULES_MAX, NOTES_MAX = 20, 20, 100


def module_of(actor: Actor, module_id: int) -> SoftwareModule:
    """Raises NotFound."""
    mine = (SoftwareModule.id == module_id) & (SoftwareModule.tenant == actor.tenant) & ~SoftwareModule.deleted
    module: SoftwareModule | None = SoftwareModule.get_or_none(mine)
    if module is None:
        raise NotFound(f"module {module_id}")
    return module


def make_module(
    actor: Actor, kind: str, name: str, version: str, at_ms: int, *, vendor: str = "", description: str = ""
) -> SoftwareModule:
    """Raises Refused: no such type in this city, or there is one of this name and version."""
    _known_type(actor, "module", kind)
    told = {"kind": kind, "name": name, "version": version}
    try:
        with step():
            made = SoftwareModule.create(**told, vendor=vendor, description=description, **_fresh(actor, at_ms))
            audit.record(actor, at_ms, "module_made", f"module:{made.id}", "", told)
    except peewee.IntegrityError:
        raise Refused("exists", "There is such a module already.") from None
    return made


def describe_module(actor: Actor, module_id: int, changed: Mapping[str, str], at_ms: int) -> SoftwareModule:
    """``changed``: description, vendor. Raises NotFound."""
    with step():
        module = module_of(actor, module_id)
        words = {name: changed[name] for name in ("description", "vendor") if name in changed}
        mark = {"changed_by": actor.who, "changed_ms": at_ms}
        SoftwareModule.update(**words, **mark).where(SoftwareModule.id == module.id).execute()
        audit.record(actor, at_ms, "module_changed", f"module:{module.id}", "", words)
        return module_of(actor, module_id)


def note(actor: Actor, module_id: int, notes: Mapping[str, str], at_ms: int) -> None:
    """Metadata that goes to the device. Raises NotFound; Refused: more than a module may have."""
    with step():
        module = module_of(actor, module_id)
        merged = {**module.notes, **notes}
        if len(merged) > NOTES_MAX:
            raise Refused("too_many", f"A module has at most {NOTES_MAX} notes.")
        SoftwareModule.update(notes=merged, changed_ms=at_ms).where(SoftwareModule.id == module.id).execute()
        audit.record(actor, at_ms, "module_noted", f"module:{module.id}", "", {"keys": sorted(notes)})


def add_artifact(actor: Actor, module_id: int, filename: str, kept: Kept, at_ms: int) -> Artifact:
    """``kept``: its bytes are in the store already.

    Raises:
        NotFound. Refused: a locked module, too many, a name that is no file's, or that is taken.
    """
    if not filename or "/" in filename or filename in (".", "..") or len(filename) > 256:
        raise Refused("bad_name", "A file has a name without folders, of at most 256 characters.")
    try:
        with step():
            module = module_of(actor, module_id)
            _must_be_open(module)
            if Artifact.select().where(Artifact.module == module.id).count() >= ARTIFACTS_MAX:
                raise Refused("too_many", f"A module has at most {ARTIFACTS_MAX} files.")
            sums = {"sha256": kept.sha256, "sha1": kept.sha1, "md5": kept.md5, "size_bytes": kept.size_bytes}
            by = {"created_by": actor.who, "created_ms": at_ms}
            made = Artifact.create(tenant=actor.tenant, module=module, filename=filename, **sums, **by)
            audit.record(actor, at_ms, "artifact_added", f"module:{module.id}", "", {"file": filename, **sums})
    except peewee.IntegrityError:
        raise Refused("exists", "The module has a file of that name already.") from None
    return made


def drop_artifact(actor: Actor, module_id: int, artifact_id: int, at_ms: int) -> None:
    """Its bytes stay in the store, where another module may name them. Raises NotFound; Refused: a locked module."""
    with step():
        module = module_of(actor, module_id)
        _must_be_open(module)
        gone = (Artifact.id == artifact_id) & (Artifact.module == module.id)
        if not Artifact.delete().where(gone).execute():
            raise NotFound(f"artifact {artifact_id}")
        audit.record(actor, at_ms, "artifact_dropped", f"module:{module.id}", "", {"artifact": artifact_id})


def make_set(
    actor: Actor,
    kind: str,
    name: str,
    version: str,
    modules: Sequence[int],
    at_ms: int,
    *,
    description: str = "",
    required_migration_step: bool = False,
) -> DistributionSet:
    """Raises NotFound: a module. Refused: no such type, a module that does not fit it, or there is such a set."""
    _known_type(actor, "set", kind)
    told = {"kind": kind, "name": name, "version": version, "description": description}
    try:
        with step():
            fresh = _fresh(actor, at_ms)
            made = DistributionSet.create(required_migration_step=required_migration_step, **told, **fresh)
            audit.record(actor, at_ms, "set_made", f"set:{made.id}", "", {**told, "modules": list(modules)})
            _put(actor, made, modules)
    except peewee.IntegrityError:
        raise Refused("exists", "There is such a set already.") from None
    return made


def put_modules(actor: Actor, set_id: int, modules: Sequence[int], at_ms: int) -> None:
    """Add modules. Raises NotFound; Refused: a locked set, or a module that does not fit."""
    with step():
        chosen = set_of(actor, set_id)
        _must_be_open(chosen)
        _put(actor, chosen, modules)
        audit.record(actor, at_ms, "set_changed", f"set:{chosen.id}", "", {"modules": list(modules)})


def take_module(actor: Actor, set_id: int, module_id: int, at_ms: int) -> None:
    """Raises as ``put_modules``."""
    with step():
        chosen = set_of(actor, set_id)
        _must_be_open(chosen)
        gone = (SetModule.set == chosen.id) & (SetModule.module == module_id)
        if not SetModule.delete().where(gone).execute():
            raise NotFound(f"module {module_id}")
        audit.record(actor, at_ms, "set_changed", f"set:{chosen.id}", "", {"without": module_id})


def put_aside(actor: Actor, row: SoftwareModule | DistributionSet, at_ms: int) -> None:
    """Nobody gets it any more; actions that name it keep it."""
    table, word = type(row), "set" if isinstance(row, DistributionSet) else "module"
    with step():
        gone = {"deleted": True, "name": f"{row.name[:100]} ({row.id})", "changed_ms": at_ms}  # its name is free again
        table.update(**gone).where(table.id == row.id).execute()
        audit.record(actor, at_ms, f"{word}_put_aside", f"{word}:{row.id}", "", {"name": row.name})


def modules_of(chosen: DistributionSet) -> list[SoftwareModule]:
    within = SetModule.select(SetModule.module).where(SetModule.set == chosen.id)
    return list(SoftwareModule.select().where(SoftwareModule.id.in_(within)).order_by(SoftwareModule.id))


def complete(actor: Actor, chosen: DistributionSet) -> bool:
    """Whether every part is there that its type wants."""
    there = {module.kind for module in modules_of(chosen)}
    parts = _known_type(actor, "set", chosen.kind).parts
    return all(kind in there for kind, must in parts.items() if must)


def ensure_types(actor: Actor, at_ms: int) -> None:
    """hawkBit's own types, once for each city."""
    by = {"tenant": actor.tenant, "created_by": "fleet", "created_ms": at_ms}
    rows: list[dict[str, Any]] = [
        {"of": "module", "key": key, "name": name, "parts": {}, **by} for key, name in MODULE_TYPES.items()
    ]
    rows += [{"of": "set", "key": key, "name": name, "parts": parts, **by} for key, (name, parts) in SET_TYPES.items()]
    with step():
        SoftwareType.insert_many(rows).on_conflict_ignore().execute()


def _known_type(actor: Actor, of: str, key: str) -> SoftwareType:
    named = (SoftwareType.tenant == actor.tenant) & (SoftwareType.of == of) & (SoftwareType.key == key)
    found: SoftwareType | None = SoftwareType.get_or_none(named)
    if found is None and key in (MODULE_TYPES if of == "module" else SET_TYPES):
        ensure_types(actor, 0)
        found = SoftwareType.get_or_none(named)
    if found is None:
        raise Refused("no_type", f"There is no type {key} here.")
    return found


def _put(actor: Actor, chosen: DistributionSet, modules: Sequence[int]) -> None:
    parts = _known_type(actor, "set", chosen.kind).parts
    for module in (module_of(actor, one) for one in modules):
        if module.kind not in parts:
            raise Refused("does_not_fit", f"A set of type {chosen.kind} holds no module of type {module.kind}.")
        SetModule.insert(set=chosen, module=module).on_conflict_ignore().execute()
    if SetModule.select().where(SetModule.set == chosen.id).count() > MODULES_MAX:
        raise Refused("too_many", f"A set has at most {MODULES_MAX} modules.")


def _must_be_open(row: SoftwareModule | DistributionSet) -> None:
    if row.locked or (isinstance(row, SoftwareModule) and _given(row)):
        raise Refused("locked", "This was given or proposed already, so it changes no more. Make a new version.")


def _given(module: SoftwareModule) -> bool:
    sets = SetModule.select(SetModule.set).where(SetModule.module == module.id)
    return bool(DistributionSet.select().where(DistributionSet.id.in_(sets) & DistributionSet.locked).exists())


def _fresh(actor: Actor, at_ms: int) -> dict[str, Any]:
    by = {"created_by": actor.who, "changed_by": actor.who}
    return {"tenant": actor.tenant, "created_ms": at_ms, "changed_ms": at_ms, **by}
