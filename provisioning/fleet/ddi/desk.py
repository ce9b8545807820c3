"""What the DDI routes do: find the caller's actions, keep its words. Everything touches the database."""

from collections.abc import Iterator

import msgspec

from provisioning.fleet.actor import NotFound, Refused
from provisioning.fleet.database import step
from provisioning.fleet.ddi.read import ATTRIBUTES_MAX, ConfigData
from provisioning.fleet.ddi.shapes import Chunk
from provisioning.fleet.identity import Caller
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.software import (
    Action,
    ActionStatus,
    Artifact,
    SetModule,
    SoftwareModule,
    TerminalAttribute,
    TerminalSoftware,
)
from provisioning.fleet.schema.terminals import Terminal, TerminalHealth
from provisioning.fleet.software.feedback import CANCELING, due
from provisioning.rules.rollouts import Gate


def links(caller: Caller) -> dict[str, str]:
    """What the terminal is to look at, as hawkBit's root names it; only what is due."""
    told: dict[str, str] = {}
    action = due(caller.key)
    if action is not None:
        told[_base_of(action)] = f"{_base_of(action)}/{action.id}" + ("" if leaves(action) else f"?c={mark(action)}")
    last = last_installed(caller)
    if last is not None:
        told["installedBase"] = f"installedBase/{last.id}?c={mark(last)}"
    if not TerminalAttribute.select().where(TerminalAttribute.terminal == caller.key).exists():
        told["configData"] = "configData"
    return told


def _base_of(action: Action) -> str:
    if leaves(action):
        return "cancelAction"
    return "deploymentBase" if action.confirmed else "confirmationBase"


def leaves(action: Action) -> bool:
    return bool(action.status == CANCELING)


def mark(action: Action) -> str:
    """Changes when what is to be done changes."""
    return f"{action.id}-{action.force}-{action.created_ms % 100_000}"


def last_installed(caller: Caller) -> Action | None:
    mine = (Action.terminal == caller.key) & (Action.status == "finished")
    found: Action | None = Action.select().where(mine).order_by(Action.id.desc()).first()
    return found


def chunks(action: Action) -> list[Chunk]:
    in_set = SetModule.select(SetModule.module).where(SetModule.set == action.set_id)
    modules = SoftwareModule.select().where(SoftwareModule.id.in_(in_set)).order_by(SoftwareModule.id)
    return [Chunk(module, list(files_of(module.id))) for module in modules]


def over_metered(action: Action) -> bool:
    """Whether two people said of its rollout that images may come over lines that are paid by the byte."""
    rollout = Rollout.get_or_none(Rollout.id == action.rollout) if action.rollout else None
    return rollout is not None and msgspec.convert(rollout.gate, Gate).over_metered


def files_of(module_id: int) -> Iterator[Artifact]:
    yield from Artifact.select().where(Artifact.module == module_id).order_by(Artifact.filename)


def history(action: Action, count: int) -> list[ActionStatus]:
    """The newest ``count`` first; all of them for -1."""
    rows = ActionStatus.select().where(ActionStatus.action == action.id).order_by(ActionStatus.id.desc())
    return list(rows if count < 0 else rows.limit(count))


def module_for(caller: Caller, module_id: int) -> SoftwareModule:
    """Raises NotFound: no module of this city that this terminal was ever to have."""
    mine = (SoftwareModule.id == module_id) & (SoftwareModule.tenant == caller.tenant)
    module: SoftwareModule | None = SoftwareModule.get_or_none(mine)
    given = (
        Action.select()
        .join(SetModule, on=(SetModule.set == Action.set))
        .where((Action.terminal == caller.key) & (SetModule.module == module_id))
    )
    if module is None or not given.exists():
        raise NotFound(f"module {module_id}")
    return module


def artifact_for(caller: Caller, module_id: int, filename: str) -> Artifact:
    """Raises NotFound as ``module_for``, and for a name that the module does not have."""
    module = module_for(caller, module_id)
    found: Artifact | None = Artifact.get_or_none((Artifact.module == module.id) & (Artifact.filename == filename))
    if found is None:
        raise NotFound(filename)
    return found


def keep_attributes(caller: Caller, told: ConfigData) -> None:
    """Raises Refused: more than a terminal may have."""
    mine = TerminalAttribute.terminal == caller.key
    with step():
        if told.mode == "remove":
            TerminalAttribute.delete().where(mine & TerminalAttribute.key.in_(list(told.data))).execute()
            return
        if told.mode == "replace":
            TerminalAttribute.delete().where(mine).execute()
        rows = [{"terminal": caller.key, "key": key, "value": value} for key, value in told.data.items()]
        both = [TerminalAttribute.terminal, TerminalAttribute.key]
        if rows:
            saved = TerminalAttribute.insert_many(rows)
            saved.on_conflict(conflict_target=both, preserve=[TerminalAttribute.value]).execute()
        if TerminalAttribute.select().where(mine).count() > ATTRIBUTES_MAX:
            raise Refused("too_many", f"A terminal has at most {ATTRIBUTES_MAX} attributes.")


def seen(caller: Caller, at_ms: int) -> None:
    """A stock client has no poll of ours: its root is how it shows that it is there."""
    row = {"terminal": caller.key, "seen_ms": at_ms}
    target = [TerminalHealth.terminal]
    TerminalHealth.insert(row).on_conflict(conflict_target=target, preserve=[TerminalHealth.seen_ms]).execute()


def consents(caller: Caller) -> bool:
    row = TerminalSoftware.get_or_none(TerminalSoftware.terminal == caller.key)
    return bool(row and row.auto_confirm)


def set_consent(caller: Caller, always: bool) -> None:
    row = {"auto_confirm": always}
    target = [TerminalSoftware.terminal]
    TerminalSoftware.insert(terminal=caller.key, **row).on_conflict(conflict_target=target, update=row).execute()


def sleep_s(caller: Caller) -> float:
    terminal: Terminal = Terminal.get_by_id(caller.key)
    return float(terminal.sleep_s)
