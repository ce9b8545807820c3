"""IPP messages judged by the example of RFC 8010, and what a printer's attributes mean."""

from pathlib import Path

import pytest

from drivers.printer.ipp.client import PDF, printer_health
from drivers.printer.ipp.codec import Attribute, Group, Malformed, Operation, Tag, answer, request
from drivers.printer.ipp.http import target_of
from kiosk.domain.health import Condition, Health

LINES = (Path(__file__).parents[1] / "vectors" / "ipp.txt").read_text(encoding="utf-8").splitlines()
VECTORS = {
    line.split()[1]: bytes.fromhex("".join(line.partition(";")[0].split()[2:]))
    for line in LINES
    if line.startswith("[ipp]")
}


def printer(*reasons: str, state: int = 3, formats: tuple[str, ...] = (PDF,), accepting: bool = True) -> Group:
    return Group(
        Tag.PRINTER,
        (
            Attribute("printer-state", Tag.ENUM, (state,)),
            Attribute("printer-state-reasons", Tag.KEYWORD, reasons or ("none",)),
            Attribute("printer-is-accepting-jobs", Tag.BOOLEAN, (accepting,)),
            Attribute("document-format-supported", Tag.MIME_TYPE, formats),
        ),
    )


def test_the_answer_of_the_standard_reads_as_it_says() -> None:
    """RFC 8010 appendix A.2: successful, job 147, pending."""
    read = answer(VECTORS["print_job_done"])
    job = read.first(Tag.JOB)
    assert read.done
    assert read.request_id == 1
    assert job.integer("job-id") == 147
    assert job.integer("job-state") == 3
    assert job.words("job-uri") == ("ipp://printer.example.com/ipp/print/pinetree/123",)


def test_a_request_begins_as_the_standard_demands() -> None:
    """RFC 8011 4.1.4: charset and language first; further values of one attribute have an empty name."""
    asked = Attribute("requested-attributes", Tag.KEYWORD, ("job-id", "job-state"))
    message = request(Operation.GET_JOBS, 7, "ipp://h/p", [asked])
    assert message.startswith(b"\x02\x00\x00\x0a\x00\x00\x00\x07\x01\x47\x00\x12attributes-charset\x00\x05utf-8\x48")
    assert message.endswith(b"\x44\x00\x14requested-attributes\x00\x06job-id\x44\x00\x00\x00\x09job-state\x03")


def test_a_message_cut_short_anywhere_is_malformed() -> None:
    """No beginning of an answer is taken for an answer."""
    whole = VECTORS["print_job_done"]
    for end in range(len(whole)):
        with pytest.raises(Malformed):
            answer(whole[:end])


@pytest.mark.parametrize(
    ("attributes", "health"),
    [
        (printer(), Health(Condition.READY)),
        (printer(state=4), Health(Condition.READY)),
        (printer("media-low-warning"), Health(Condition.DEGRADED, "paper_low")),
        (printer("toner-low-report"), Health(Condition.DEGRADED, "toner_low")),
        (printer("media-empty-error", state=5), Health(Condition.FAULT, "paper_out")),
        (printer("media-low", "cover-open"), Health(Condition.FAULT, "cover_open")),
        (printer("unheard-of", state=5), Health(Condition.FAULT, "stopped")),
        (printer(formats=("image/pwg-raster",)), Health(Condition.FAULT, "no_pdf")),
        (printer(accepting=False), Health(Condition.FAULT, "not_accepting")),
        (
            Group(Tag.PRINTER, (Attribute("document-format-supported", 0x49, (PDF,)),)),
            Health(Condition.UNKNOWN, "silent"),
        ),
    ],
)
def test_what_a_printer_says_of_itself_becomes_its_health(attributes: Group, health: Health) -> None:
    """Faults before warnings; what is not said is unknown; a printer that takes no PDF is of no use."""
    assert printer_health(attributes) == health


def test_addresses_are_ipp_with_their_own_port() -> None:
    """RFC 3510 and 7472: port 631 unless given; anything but ipp and ipps is refused."""
    assert (target_of("ipp://printer/ipp/print").port, target_of("ipps://printer:8443/x").tls) == (631, True)
    with pytest.raises(ValueError, match="ipp://"):
        target_of("http://printer/")
