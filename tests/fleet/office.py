"""A program of a running fleet, by the management interface, over TLS."""

import base64
import json
from typing import Any

import trio

from simulators.fleet.server import FleetPlan, fleet_command
from tests.fleet.front import WAIT_S, Reply, ask

UPLOAD_S_MAX = 120.0  # a whole image is summed and stored before the answer, maybe beside a machine that is emulated


class Office:
    def __init__(self, plan: FleetPlan, secret: str) -> None:
        self._plan = plan
        told = base64.b64encode(f"{plan.city}/ci:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {told}"}

    async def get(self, path: str) -> Any:
        return (await self._send("GET", path)).json()

    async def post(self, path: str, told: Any) -> Any:
        return (await self._send("POST", path, json.dumps(told).encode())).json()

    async def delete(self, path: str) -> None:
        await self._send("DELETE", path)

    async def upload(self, module: int, filename: str, content: bytes) -> Any:
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
        body = head.encode() + content + b"\r\n--edge--\r\n"
        path = f"softwaremodules/{module}/artifacts"
        return (await self._send("POST", path, body, "multipart/form-data; boundary=edge", UPLOAD_S_MAX)).json()

    async def _send(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json", wait_s: float = WAIT_S
    ) -> Reply:
        headers = {**self._headers, "Content-Type": kind}
        port = self._plan.console_port
        answer = await ask(self._plan, method, f"/rest/v1/{path}", port=port, body=body, headers=headers, wait_s=wait_s)
        assert answer.status in (200, 201, 204), answer.body
        return answer

    async def make_set(self, version: str, filename: str, content: bytes) -> tuple[int, int]:
        """A module with one file, and a set of it; their numbers."""
        named = {"name": "software", "version": version}
        module = (await self.post("softwaremodules", [{**named, "type": "application"}]))[0]["id"]
        await self.upload(module, filename, content)
        made = await self.post("distributionsets", [{**named, "type": "app", "modules": [{"id": module}]}])
        return module, made[0]["id"]

    async def assign(self, target: str, chosen: int) -> int:
        """The number of the action."""
        told = await self.post(f"targets/{target}/assignedDS", {"id": chosen})
        action: int = told["assignedActions"][0]["id"]
        return action

    async def told_of(self, target: str, action: int) -> list[dict[str, Any]]:
        """What was said of an action, in its order."""
        rows = (await self.get(f"targets/{target}/actions/{action}/status?limit=100"))["content"]
        return sorted(rows, key=lambda row: int(row["id"]))


async def open_office(plan: FleetPlan) -> Office:
    """A program that may do all."""
    words = ("program", "add", "--city", plan.city, "--name", "ci", "--may", "assign")
    told = await trio.run_process(fleet_command(plan, *words), capture_stdout=True)
    return Office(plan, told.stdout.decode().split(": ")[1].strip())
