"""Answers of the management interface, in hawkBit's shapes (Management API, 0.4 to 1.0). Pure; times in ms of UTC."""

from typing import Any

from provisioning.fleet.schema.rollouts import Rollout, Wave
from provisioning.fleet.schema.software import (
    Action,
    ActionStatus,
    Artifact,
    DistributionSet,
    SoftwareModule,
    SoftwareType,
)

# Ours -> hawkBit's; what has no word of hawkBit's is told by the nearest.
ROLLOUTS = {
    "waiting": "ready", "running": "running", "paused": "paused", "returning": "stopping", "returned": "stopped",
    "finished": "finished", "stopped": "stopped",
}  # fmt: skip
WAVES = {"waiting": "scheduled", "running": "running", "passed": "finished", "returning": "error", "returned": "error"}


def _named(row: SoftwareModule | DistributionSet) -> dict[str, Any]:
    return {
        "createdBy": row.created_by,
        "createdAt": row.created_ms,
        "lastModifiedBy": row.changed_by,
        "lastModifiedAt": row.changed_ms,
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "version": row.version,
        "type": row.kind,
        "deleted": row.deleted,
        "locked": row.locked,
    }


def _links(**links: str) -> dict[str, Any]:
    return {"_links": {name: {"href": href} for name, href in links.items()}}


def module(row: SoftwareModule, base: str) -> dict[str, Any]:
    me = f"{base}/softwaremodules/{row.id}"
    kind = {"typeName": row.kind, "vendor": row.vendor, "encrypted": False, "complete": True}
    return {**_named(row), **kind, **_links(self=me, artifacts=f"{me}/artifacts", metadata=f"{me}/metadata")}


def distribution_set(row: DistributionSet, modules: list[SoftwareModule], complete: bool, base: str) -> dict[str, Any]:
    me = f"{base}/distributionsets/{row.id}"
    return {
        **_named(row),
        "typeName": row.kind,
        "modules": [module(one, base) for one in modules],
        "requiredMigrationStep": row.required_migration_step,
        "complete": complete,
        "valid": True,
        **_links(self=me, modules=f"{me}/assignedSM"),
    }


def kind(row: SoftwareType, base: str) -> dict[str, Any]:
    folder = "softwaremoduletypes" if row.of == "module" else "distributionsettypes"
    most = {"maxAssignments": row.max_assignments} if row.of == "module" else {}
    return {
        "createdBy": row.created_by,
        "createdAt": row.created_ms,
        "lastModifiedBy": row.created_by,
        "lastModifiedAt": row.created_ms,
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "description": row.description,
        "deleted": False,
        **most,
        **_links(self=f"{base}/{folder}/{row.id}"),
    }


def artifact(row: Artifact, base: str) -> dict[str, Any]:
    me = f"{base}/softwaremodules/{row.module_id}/artifacts/{row.id}"
    return {
        "createdBy": row.created_by,
        "createdAt": row.created_ms,
        "lastModifiedBy": row.created_by,
        "lastModifiedAt": row.created_ms,
        "id": row.id,
        "hashes": {"sha1": row.sha1, "md5": row.md5, "sha256": row.sha256},
        "providedFilename": row.filename,
        "size": row.size_bytes,
        **_links(self=me, download=f"{me}/download"),
    }


def action(row: Action, base: str) -> dict[str, Any]:
    target = f"{base}/targets/{row.terminal.terminal_id}"
    me = f"{target}/actions/{row.id}"
    forced = {"forceTime": row.forced_ms} if row.force == "timeforced" else {}
    code = {"lastStatusCode": row.code} if row.code is not None else {}
    rollout = {"rollout": row.rollout} if row.rollout is not None else {}
    return {
        "createdBy": row.created_by,
        "createdAt": row.created_ms,
        "lastModifiedBy": row.created_by,
        "lastModifiedAt": row.changed_ms,
        "id": row.id,
        "type": "cancel" if row.status in ("canceling", "canceled") else "update",
        "status": "pending" if row.active else "finished",
        "detailStatus": row.status,
        "weight": row.weight,
        "forceType": row.force,
        **forced,
        **code,
        **rollout,
        **_links(
            self=me,
            target=target,
            status=f"{me}/status?offset=0&limit=50&sort=id:DESC",
            distributionset=f"{base}/distributionsets/{row.set_id}",
        ),
    }


def action_status(row: ActionStatus) -> dict[str, Any]:
    code = {"code": row.code} if row.code is not None else {}
    told = {"id": row.id, "type": row.status, "messages": row.messages}
    return {**told, "reportedAt": row.at_ms, "timestamp": row.told_ms, **code}


def rollout(row: Rollout, targets: int, base: str) -> dict[str, Any]:
    me = f"{base}/rollouts/{row.id}"
    return {
        "createdBy": row.created_by,
        "createdAt": row.created_ms,
        "lastModifiedBy": row.created_by,
        "lastModifiedAt": row.ticked_ms or row.created_ms,
        "id": row.id,
        "name": row.name,
        "description": row.why,
        "targetFilterQuery": "",  # waves are chosen by place
        "distributionSetId": row.set_id,
        "status": ROLLOUTS.get(row.state, "running"),
        "totalTargets": targets,
        "deleted": False,
        "type": "forced",
        **_links(self=me, groups=f"{me}/deploygroups"),
    }


def wave(row: Wave, targets: int, base: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "status": WAVES.get(row.state, "running"),
        "totalTargets": targets,
        **_links(self=f"{base}/rollouts/{row.rollout_id}/deploygroups/{row.id}"),
    }
