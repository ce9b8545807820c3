"""Print an insurance certificate, a rights record or a benefit certificate.

The agency's back end composes and seals it; the kiosk checks seal, trust, holder, kind, number and date, prints it,
and keeps its number and hash, never the document (pins-and-keys 14).
"""

from kiosk.domain.certificate import CertificateKind, SealedDocument, SealExpectation, SealFinding
from kiosk.domain.text import say
from kiosk.ports import (
    Answer,
    DeviceFault,
    Hands,
    HostRefused,
    Kiosk,
    Outcome,
    OutcomeUnknown,
    Place,
    Question,
    Tiles,
    Tone,
    Waiting,
)
from kiosk.services.notices import device_out, go_back, host_said_no, host_silent, understood
from kiosk.services.pin_steps import verified_pin

NEEDS = ("card_reader", "pin_pad", "page_printer")

# Two pages on a slow printer that has to warm up first.
PRINT_S_MAX = 180.0

KIND_NAMES = {
    CertificateKind.INSURANCE: say("Insurance certificate"),
    CertificateKind.RIGHTS_RECORD: say("Rights record"),
    CertificateKind.BENEFIT: say("Benefit certificate"),
}
KIND_ICONS = {
    CertificateKind.INSURANCE: "certificate",
    CertificateKind.RIGHTS_RECORD: "list",
    CertificateKind.BENEFIT: "note",
}


async def print_certificate(kiosk: Kiosk) -> Outcome:
    # Who is asking? A certificate names the holder, so the first PIN is not enough unless the region says so.
    ended = await verified_pin(kiosk, initial_permitted=kiosk.settings.pin.initial_permits_certificate)
    if ended:
        return ended

    # Which one?
    kind = CertificateKind(await kiosk.ask(_choice()))

    # Composed and sealed by the agency. One key for this wish: asking again returns the same certificate.
    key = kiosk.clock.new_key()
    kiosk.journal.record("certificate_asked", kiosk.visit.case_code, kind=kind.value, key=key)
    try:
        document = await _sealed(kiosk, kind, key)
    except HostRefused as refusal:
        return await host_said_no(kiosk, refusal)
    except OutcomeUnknown:
        return await host_silent(kiosk, act="certificate")

    # Nothing unverifiable ever reaches paper.
    finding = await _checked(kiosk, kind, document)
    kiosk.journal.record(
        "certificate_checked",
        kiosk.visit.case_code,
        number=document.number,
        sha256=document.sha256,
        result=finding.value,
    )
    if finding is not SealFinding.GENUINE:
        return await _not_printed(kiosk)

    # Paper.
    try:
        await kiosk.wait(
            Question(
                "certificate_printing",
                say("Your certificate is being printed"),
                (say("Please wait by the machine."),),
                Waiting(say("The printer is working")),
            ),
            lambda: kiosk.page_printer.print_pdf(document.pdf, key),
            to_the_end_s=PRINT_S_MAX,
        )
    except DeviceFault as fault:
        return await device_out(kiosk, fault, card_needed=False)
    except OutcomeUnknown:
        return await _perhaps_printed(kiosk, document)
    kiosk.visit.papers += 1
    kiosk.journal.record("certificate_printed", kiosk.visit.case_code, number=document.number, sha256=document.sha256)
    # Who pulls the card is reminded of the sheet at the goodbye, where the next card is already welcome.
    await kiosk.ask(
        Question(
            "certificate_done",
            say("Take your sheet"),
            (
                say("It carries your personal details. Leave nothing behind."),
                say("Anyone can check it with the QR code on it."),
                say("Certificate number {number}", number=document.number),
            ),
            Hands((Place.PAGE_OUTLET,)),
            (understood(),),
            Tone.DONE,
            spoken=say("It is printed. Take your sheet. It carries your personal details."),
        )
    )
    return Outcome.DONE


def _choice() -> Question:
    answers = tuple(Answer(kind.value, name, icon=KIND_ICONS[kind]) for kind, name in KIND_NAMES.items())
    return Question("choose_certificate", say("Which paper do you need?"), body=Tiles(), answers=(*answers, go_back()))


async def _sealed(kiosk: Kiosk, kind: CertificateKind, key: str) -> SealedDocument:
    visit = kiosk.visit
    question = Question(
        "certificate_asking",
        say("The office is making your certificate"),
        body=Waiting(say("Asking the social insurance office")),
    )
    return await kiosk.wait(
        question, lambda: kiosk.social_insurance.issue_certificate(visit.identity, visit.holder, kind, key)
    )


async def _checked(kiosk: Kiosk, kind: CertificateKind, document: SealedDocument) -> SealFinding:
    if document.kind is not kind:
        return SealFinding.OTHER_CONTENT
    expected = SealExpectation(kiosk.visit.holder.social_security_number, kind, document.number, document.issued_on)
    question = Question(
        "certificate_checking", say("Checking the office's seal"), body=Waiting(say("Checking the office's seal"))
    )
    return await kiosk.wait(question, lambda: kiosk.seal_verifier.verify(document.pdf, expected))


async def _not_printed(kiosk: Kiosk) -> Outcome:
    await kiosk.ask(
        Question(
            "certificate_not_printed",
            say("This certificate was not printed"),
            (
                say("Its seal could not be confirmed, so it would not be accepted."),
                say("Your card is safe."),
                say("The counter can print it for you."),
            ),
            answers=(understood(),),
            tone=Tone.STOP,
            case_code=kiosk.visit.case_code,
        )
    )
    return Outcome.REFUSED


async def _perhaps_printed(kiosk: Kiosk, document: SealedDocument) -> Outcome:
    kiosk.journal.record("certificate_unknown", kiosk.visit.case_code, number=document.number)
    kiosk.visit.papers += 1
    await kiosk.ask(
        Question(
            "certificate_unknown",
            say("The printer stopped answering"),
            (
                say("A sheet may still come out. Please look before you go."),
                say('If nothing came, touch "Help" or go to the counter.'),
            ),
            Hands((Place.PAGE_OUTLET,)),
            (understood(),),
            Tone.CAUTION,
            case_code=kiosk.visit.case_code,
        ),
        card_needed=False,
    )
    return Outcome.UNKNOWN
