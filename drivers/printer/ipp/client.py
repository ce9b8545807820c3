"""Questions to one IPP printer and what its answers mean in the words of the kiosk."""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.printer.ipp.codec import Answer, Attribute, Group, Malformed, Operation, Tag, answer, request
from drivers.printer.ipp.http import HttpRefused, NoAnswer, Target, post
from kiosk.domain.health import Condition, Health

PDF = "application/pdf"
BUSY = 0x0507  # server-error-busy: not taken, try later
NOT_FOUND = 0x0406  # client-error-not-found, RFC 8011 appendix B
STOPPED = 5  # printer-state, RFC 8011 section 5.4.11

_ASKED_OF_PRINTER = (
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "document-format-supported",
)
_ASKED_OF_JOB = ("job-id", "job-name", "job-state", "job-state-reasons", "job-impressions-completed")

# printer-state-reasons without their -report, -warning, -error (RFC 8011 section 5.4.12), worst first.
_FAULTS = {
    "cover-open": "cover_open",
    "door-open": "cover_open",
    "interlock-open": "cover_open",
    "media-jam": "paper_jam",
    "media-empty": "paper_out",
    "media-needed": "paper_out",
    "toner-empty": "toner_out",
    "marker-supply-empty": "toner_out",
    "output-area-full": "outlet_full",
    "fuser-over-temp": "overheated",
    "shutdown": "shut_down",
    "stopped-partly": "stopped",
    "paused": "paused",
    "connecting-to-device": "silent",
    "offline": "offline",
    "timed-out": "silent",
}
_WARNINGS = {"media-low": "paper_low", "toner-low": "toner_low", "marker-supply-low": "toner_low"}
_SEVERITIES = ("-report", "-warning", "-error")


@dataclass(frozen=True)
class Job:
    """``state`` by RFC 8011 section 5.3.7. ``impressions``: sides that the printer says it printed; None = not said."""

    id: int
    name: str
    state: int
    reasons: tuple[str, ...]
    impressions: int | None

    @property
    def finished(self) -> bool:
        return self.state >= 7

    @property
    def completed(self) -> bool:
        return self.state == 9


class Refused(Exception):
    """The printer answered no: it did not do it. ``status`` is IPP's (0x0400 and up) or HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:#06x}")
        self.status = status


class IppClient:
    """Each call is one request. Raises NotReached, NoAnswer or Refused."""

    def __init__(self, uri: str, target: Target, user: str, connect_s: float, reply_s: float) -> None:
        self._uri = uri
        self._target = target
        self._user = user
        self._connect_s = connect_s
        self._reply_s = reply_s
        self._requests = 0

    async def health(self) -> Health:
        asked = Attribute("requested-attributes", Tag.KEYWORD, _ASKED_OF_PRINTER)
        return printer_health((await self._call(Operation.GET_PRINTER_ATTRIBUTES, (asked,))).first(Tag.PRINTER))

    async def print_pdf(self, pdf: bytes, job_name: str) -> int:
        """Hand the document over; its job-id. ``-1`` where the printer took it and names none."""
        attributes = (
            Attribute("job-name", Tag.NAME, (job_name,)),
            Attribute("document-format", Tag.MIME_TYPE, (PDF,)),
        )
        taken = await self._call(Operation.PRINT_JOB, attributes, pdf)
        number = taken.first(Tag.JOB).integer("job-id")
        return -1 if number is None else number

    async def job(self, job_id: int) -> Job:
        attributes = (
            Attribute("job-id", Tag.INTEGER, (job_id,)),
            Attribute("requested-attributes", Tag.KEYWORD, _ASKED_OF_JOB),
        )
        return _job((await self._call(Operation.GET_JOB_ATTRIBUTES, attributes)).first(Tag.JOB))

    async def unfinished_jobs(self) -> list[Job]:
        """Our jobs that the printer still holds."""
        attributes = (
            Attribute("my-jobs", Tag.BOOLEAN, (True,)),
            Attribute("which-jobs", Tag.KEYWORD, ("not-completed",)),
            Attribute("requested-attributes", Tag.KEYWORD, _ASKED_OF_JOB),
        )
        return [_job(group) for group in (await self._call(Operation.GET_JOBS, attributes)).of(Tag.JOB)]

    async def cancel(self, job_id: int) -> None:
        await self._call(Operation.CANCEL_JOB, (Attribute("job-id", Tag.INTEGER, (job_id,)),))

    async def _call(self, operation: Operation, attributes: Iterable[Attribute], document: bytes = b"") -> Answer:
        self._requests += 1
        user = Attribute("requesting-user-name", Tag.NAME, (self._user,))
        operands = list(attributes)
        # RFC 8011 section 4.1.5: the target (printer-uri, job-id) comes before everything else.
        at = 1 if operands and operands[0].name == "job-id" else 0
        body = request(operation, self._requests, self._uri, [*operands[:at], user, *operands[at:]])
        try:
            read = answer(await post(self._target, body + document, self._connect_s, self._reply_s))
        except HttpRefused as refused:
            raise Refused(refused.status) from refused
        except Malformed as malformed:
            raise NoAnswer("malformed") from malformed
        if read.request_id != self._requests:
            raise NoAnswer("an answer to another request")
        if not read.done:
            raise Refused(read.status)
        return read


def printer_health(printer: Group) -> Health:
    """What a printer's attributes mean. A reason nobody knows is shown as it is where the printer stopped for it."""
    reasons = [_plain(reason) for reason in printer.words("printer-state-reasons")]
    faults = [word for reason, word in _FAULTS.items() if reason in reasons]
    if faults:
        return Health(Condition.FAULT, faults[0])
    if PDF not in printer.words("document-format-supported"):
        return Health(Condition.FAULT, "no_pdf")
    if False in printer.all("printer-is-accepting-jobs"):
        return Health(Condition.FAULT, "not_accepting")
    state = printer.integer("printer-state")
    if state is None or state == STOPPED:
        return Health(Condition.UNKNOWN if state is None else Condition.FAULT, "stopped" if state else "silent")
    warnings = [word for reason, word in _WARNINGS.items() if reason in reasons]
    return Health(Condition.DEGRADED, warnings[0]) if warnings else Health(Condition.READY)


def _plain(reason: str) -> str:
    for severity in _SEVERITIES:
        reason = reason.removesuffix(severity)
    return reason


def _job(group: Group) -> Job:
    """Raises NoAnswer: it lacks what tells a job."""
    number, state = group.integer("job-id"), group.integer("job-state")
    if number is None or state is None:
        raise NoAnswer("no job in the answer")
    name = next(iter(group.words("job-name")), "")
    impressions = group.integer("job-impressions-completed")
    return Job(number, name, state, group.words("job-state-reasons"), impressions)
