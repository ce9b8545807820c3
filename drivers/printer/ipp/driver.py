"""Driver for page printers by IPP (RFC 8011), directly or through CUPS.

A document counts as printed only at job-state completed. The document stays in memory: there is no spool file. A job
that stops for want of paper is cancelled, so that one resident's sheet never prints for the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from drivers.options import OptionError, read_options
from drivers.printer.ipp.client import BUSY, NOT_FOUND, IppClient, Job, Refused
from drivers.printer.ipp.http import NoAnswer, NotReached, target_of
from drivers.printer.printed import PRINTED, STARTED, PrintedKeys
from kiosk.domain.health import Condition, Health
from kiosk.ports import DeviceContext, DeviceFault, OutcomeUnknown

_JOB_POLL_S = 0.3
_JOBS_CANCELLED_MAX = 20


@dataclass(frozen=True)
class Options:
    """See docs/devices/printer_ipp.md."""

    uri: str = ""  # required
    ca: str = ""  # for ipps: who may vouch for the printer; empty = the system's list
    user: str = "kiosk"  # generic: a job never names a person
    poll_s: float = 10.0  # each job asks anyway before it begins
    connect_s: float = 2.0
    reply_s: float = 10.0  # includes handing a document over
    busy_s_max: float = 15.0  # how long a printer may be busy with others before it takes our document
    job_s_max: float = 120.0
    stopped_s_max: float = 20.0  # how long a job may wait for paper or a closed cover


def open_device(options: Mapping[str, object], context: DeviceContext) -> "IppPrinter":
    """Entry point ``ipp``. Raises DeviceFault ("bad_settings")."""
    try:
        read = read_options(Options, options)
        target = target_of(read.uri, read.ca)
    except (OptionError, ValueError) as error:
        context.log("bad_settings", slot=context.slot, driver="ipp", error=str(error))
        raise DeviceFault(context.slot, Health(Condition.FAULT, "bad_settings")) from error
    client = IppClient(read.uri, target, read.user, read.connect_s, read.reply_s)
    return IppPrinter(read, context, client)


class IppPrinter:
    """Implements ports.PagePrinter and ports.Device."""

    def __init__(self, options: Options, context: DeviceContext, client: IppClient) -> None:
        self._options = options
        self._context = context
        self._client = client
        self._printed = PrintedKeys(context.run_dir / f"{context.slot}.printed.json")
        self._talk = trio.Lock()
        self._health: Health | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Cancel what an earlier process left behind, then watch the printer until cancelled.

        Raises:
            DeviceFault: not there or out of order at the start. Later that is reported, and watched until it ends.
        """
        health = await self._look()
        if health.condition.usable:
            await self._cancel_leftovers()
        else:
            raise DeviceFault(self._context.slot, health)
        self._tell(health)
        task_status.started()
        while True:
            await trio.sleep(self._options.poll_s)
            async with self._talk:
                self._tell(await self._look())

    async def _look(self) -> Health:
        try:
            return await self._client.health()
        except NotReached as error:
            return _unreached(error)
        except NoAnswer:
            return Health(Condition.UNKNOWN, "silent")
        except Refused as refused:
            self._context.log("printer_refuses", slot=self._context.slot, code=refused.status)
            return Health(Condition.FAULT, "refused")

    async def _cancel_leftovers(self) -> None:
        try:
            for job in (await self._client.unfinished_jobs())[:_JOBS_CANCELLED_MAX]:
                self._context.log("leftover_job_cancelled", slot=self._context.slot, job=job.name)
                await self._client.cancel(job.id)
        except (NotReached, NoAnswer, Refused) as error:
            self._context.log("leftover_jobs_unknown", slot=self._context.slot, error=type(error).__name__)

    def _tell(self, health: Health) -> None:
        if health != self._health:
            self._health = health
            self._context.report(health)

    async def print_pdf(self, pdf: bytes, job_key: str) -> None:
        """See ports.PagePrinter. The same key again: returns if it was printed, OutcomeUnknown if it was tried.

        Once the document is on its way it cannot be cancelled; it ends within ``job_s_max`` and a few answers.
        """
        async with self._talk:
            if self._known(job_key):
                return
            health = await self._look()
            self._tell(health)
            if not health.condition.usable:
                raise DeviceFault(self._context.slot, health)
            with trio.CancelScope(shield=True):
                self._tell(Health(Condition.BUSY))
                try:
                    await self._print(pdf, job_key)
                finally:
                    self._tell(await self._look())

    def _known(self, key: str) -> bool:
        state = self._printed.state(key)
        if state == STARTED:
            raise OutcomeUnknown(self._context.slot, "already_tried")
        if state == PRINTED:
            self._context.log("sheet_already_printed", slot=self._context.slot, job=key)
        return state == PRINTED

    async def _print(self, pdf: bytes, key: str) -> None:
        self._printed.note(key, STARTED)
        job_id = await self._hand_over(pdf, key)
        job = await self._finished(job_id)
        if job.completed:
            self._printed.note(key, PRINTED)
        elif job.impressions == 0:
            raise self._surely_not(key, await self._why_not())
        else:
            raise OutcomeUnknown(self._context.slot, "partly_printed")

    async def _hand_over(self, pdf: bytes, key: str) -> int:
        """The job's id. Raises DeviceFault (surely not taken), OutcomeUnknown.

        A printer that says it is busy has not taken the document, so handing over again is no repetition.
        """
        busy_until = trio.current_time() + self._options.busy_s_max
        try:
            while True:
                try:
                    return await self._client.print_pdf(pdf, key)
                except Refused as refused:
                    if refused.status != BUSY or trio.current_time() > busy_until:
                        raise
                await trio.sleep(_JOB_POLL_S)
        except NotReached as error:
            raise self._surely_not(key, _unreached(error)) from error
        except Refused as refused:
            self._context.log("job_refused", slot=self._context.slot, code=refused.status)
            raise self._surely_not(key, Health(Condition.FAULT, "refused")) from refused
        except NoAnswer as error:
            return await self._found_again(key, error)

    async def _found_again(self, key: str, lost: NoAnswer) -> int:
        """The answer was lost; asking which jobs there are is idempotent, handing over again is not."""
        try:
            for job in await self._client.unfinished_jobs():
                if job.name == key:
                    return job.id
        except (NotReached, NoAnswer, Refused) as error:
            self._context.log("job_lost", slot=self._context.slot, job=key, error=type(error).__name__)
        raise OutcomeUnknown(self._context.slot, "silent") from lost

    async def _finished(self, job_id: int) -> Job:
        """The job once it ended by itself, or was cancelled because it could not go on. Raises OutcomeUnknown."""
        deadline = trio.current_time() + self._options.job_s_max
        give_up_at = deadline
        cancelled = False
        while trio.current_time() < deadline:
            job = await self._job(job_id)
            if job is not None and job.finished:
                return job
            stuck = job is not None and await self._stuck()
            give_up_at = min(give_up_at, trio.current_time() + self._options.stopped_s_max) if stuck else deadline
            if stuck and not cancelled and trio.current_time() >= give_up_at:
                cancelled = await self._cancel(job_id)
            await trio.sleep(_JOB_POLL_S)
        if not cancelled:
            await self._cancel(job_id)
        raise OutcomeUnknown(self._context.slot, "silent" if await self._job(job_id) is None else "not_finished")

    async def _job(self, job_id: int) -> Job | None:
        """None when the printer does not say; asking again is idempotent. One that lost its power forgets jobs."""
        try:
            return await self._client.job(job_id)
        except Refused as refused:
            if refused.status == NOT_FOUND:
                raise OutcomeUnknown(self._context.slot, "job_forgotten") from refused
            return None
        except (NotReached, NoAnswer):
            return None

    async def _stuck(self) -> bool:
        return (await self._look()).condition is Condition.FAULT

    async def _cancel(self, job_id: int) -> bool:
        try:
            await self._client.cancel(job_id)
        except (NotReached, NoAnswer, Refused) as error:
            self._context.log("job_not_cancelled", slot=self._context.slot, error=type(error).__name__)
            return False
        return True

    async def _why_not(self) -> Health:
        health = await self._look()
        return health if not health.condition.usable else Health(Condition.FAULT, "job_aborted")

    def _surely_not(self, key: str, health: Health) -> DeviceFault:
        """Nothing came out, so the same key may be tried again."""
        self._printed.forget(key)
        return DeviceFault(self._context.slot, health)


def _unreached(error: NotReached) -> Health:
    return Health(Condition.ABSENT if error.reason == "absent" else Condition.FAULT, error.reason)
