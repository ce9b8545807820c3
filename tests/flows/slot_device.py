"""Base of the fakes that fill a slot."""

import trio

from kiosk.domain.health import Health
from kiosk.ports import DeviceContext, DeviceFault


class SlotDevice:
    """Base of the fakes that fill a slot."""

    def __init__(self, context: DeviceContext | None = None) -> None:
        self.context = context
        self.broken: Health | None = None
        self.breaks = trio.Event()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        if self.broken:
            raise DeviceFault(self.context.slot if self.context else "", self.broken)
        task_status.started()
        await self.breaks.wait()
        assert self.broken is not None and self.context is not None
        raise DeviceFault(self.context.slot, self.broken)
