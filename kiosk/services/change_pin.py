"""Change the PIN of the social security application on the chip. The bank PIN is another PIN and stays as it is."""

from kiosk.domain.card import PinResult, PinVerdict
from kiosk.domain.text import say
from kiosk.ports import Back, CardGone, Chose, DeviceFault, Kiosk, Outcome, Question, ResidentLeft, Tone
from kiosk.services.notices import device_out, go_back, understood
from kiosk.services.pin_steps import (
    explain_forgotten,
    explain_verdict,
    new_pin_template,
    offer_after_stop,
    offer_another_try,
    pin_question,
)

NEEDS = ("card_reader", "pin_pad")


async def change_pin(kiosk: Kiosk) -> Outcome:
    while True:
        # Current PIN, new PIN twice, at most one CHANGE PIN: all inside the PIN entry, none of it inside this process.
        key = kiosk.clock.new_key()
        kiosk.journal.record("pin_change_started", kiosk.visit.case_code, key=key)
        try:
            verdict = await _enter(kiosk)
        except Chose:
            _ended(kiosk, key, "forgotten")
            return await explain_forgotten(kiosk)
        except DeviceFault as fault:
            _ended(kiosk, key, "device_out")
            return await device_out(kiosk, fault)
        except (Back, CardGone, ResidentLeft):
            _ended(kiosk, key, "left")  # surely not sent: what was sent ends in a verdict
            raise
        _ended(kiosk, key, verdict.result.value)

        match verdict.result:
            case PinResult.OK:
                return await _changed(kiosk, key)
            case PinResult.WRONG:
                await offer_another_try(kiosk, verdict)
            case PinResult.MISMATCH | PinResult.TOO_SIMPLE:
                await _explain_new_pin(kiosk, verdict)
            case PinResult.CANCELLED | PinResult.TIMED_OUT:
                await offer_after_stop(kiosk)
            case PinResult.UNKNOWN:
                return await _either_may_be_valid(kiosk)
            case _:
                return await explain_verdict(kiosk, verdict)


def _ended(kiosk: Kiosk, key: str, result: str) -> None:
    """Every start has an end, so that one without is a power cut: either PIN may be in force."""
    kiosk.journal.record("pin_change_ended", kiosk.visit.case_code, key=key, result=result)


async def _enter(kiosk: Kiosk) -> PinVerdict:
    question = pin_question(
        kiosk,
        "change_pin_entry",
        say("Change your social security PIN"),
        say("Old PIN, then a new one twice."),
        say("Not the bank PIN."),
        *(() if kiosk.settings.pin_mode == "A" else (say("Green key after each."),)),
    )
    identity, template = kiosk.visit.identity, new_pin_template(kiosk)
    return await kiosk.wait(question, lambda: kiosk.pin_entry.change_chip_pin(identity, template, kiosk.screen.stars))


async def _changed(kiosk: Kiosk, key: str) -> Outcome:
    # The platform only keeps a record of it; the chip is what counts, so the notice may wait for the network.
    kiosk.journal.owe_notice(
        "card_platform",
        "pin_changed",
        key,
        kiosk.visit.case_code,
        card_number=kiosk.visit.identity.card_number,
        at=kiosk.clock.now().isoformat(timespec="seconds"),
    )
    kiosk.visit.pin_verified = True
    await kiosk.ask(
        Question(
            "pin_changed",
            say("Your social security PIN is changed"),
            (
                say("Use the new one from now on."),
                say("Your bank PIN is still the old one."),
                say("Tell nobody, not even staff."),
            ),
            answers=(understood(),),
            tone=Tone.DONE,
        )
    )
    return Outcome.DONE


async def _explain_new_pin(kiosk: Kiosk, verdict: PinVerdict) -> None:
    """Nothing was sent to the card; no try was used for the new PIN. Returns to enter again; Back stops."""
    differs = verdict.result is PinResult.MISMATCH
    heading = say("The two new PINs were not the same") if differs else say("The new PIN is too easy to guess")
    again = (
        (say("Please enter them again."),)
        if differs
        else (say("Not 111111, 123456, a birthday or your card number."), say("Please choose another one."))
    )
    await kiosk.ask(
        Question(
            f"pin_{verdict.result.value}",
            heading,
            (say("Nothing was changed. Your old PIN is still valid."), *again),
            answers=(understood(), go_back()),
            tone=Tone.CAUTION,
        )
    )


async def _either_may_be_valid(kiosk: Kiosk) -> Outcome:
    """CHANGE PIN without a status word: no retry and no notice (pins-and-keys 5)."""
    await kiosk.ask(
        Question(
            "pin_unknown",
            say("The card stopped answering while the PIN was changed"),
            (
                say("The old PIN or the new PIN may be valid now."),
                say('To find out: insert the card again and touch "Check balances".'),
                say("Try the new PIN first, then the old one."),
            ),
            answers=(understood(),),
            tone=Tone.STOP,
            case_code=kiosk.visit.case_code,
        ),
        card_needed=False,
    )
    return Outcome.UNKNOWN
