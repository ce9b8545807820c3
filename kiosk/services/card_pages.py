"""Pages of paying by bank card: choosing the means, the bank PIN, and what the bank said. Which PIN is always named."""

from collections.abc import Mapping

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Text, say
from kiosk.money.means import BANK_CARD, CASH, NO_DEBIT_READER, NO_PAD, Means
from kiosk.ports import Answer, Hands, Kiosk, Place, Question, Role, Stars, Tiles, Tone, Waiting
from kiosk.ports.money import BankPayment
from kiosk.services.notices import device_words, go_back

AGAIN, UNDO = "again", "undo"

_LABELS = {CASH: say("Pay in notes"), BANK_CARD: say("Pay by bank card")}
_ICONS = {CASH: "note", BANK_CARD: "card"}
_NO_ACCOUNT = say("This card has no bank account that can pay here.")
_BANK_OUT = say("Paying by bank card does not work right now.")
_NEVER_HERE = say("A bank card cannot pay at this machine.")
# Why the bank card cannot pay now, by the client's words; a slot has its own sentence.
_WHY_NOT: Mapping[str, Text] = {
    "no_application": _NO_ACCOUNT,
    "blocked": say("The bank has blocked this card."),
    "malformed": _NO_ACCOUNT,
    "not_permitted": _NO_ACCOUNT,
    NO_PAD: _NEVER_HERE,
    NO_DEBIT_READER: _NEVER_HERE,
}
# What the bank said no with (field 39), or the client or the card before it was asked.
_REFUSED: Mapping[str, Text] = {
    "51": say("There is not enough money in the account."),
    "55": say("That bank PIN is not right."),
    "75": say("The bank PIN is locked. Your bank can unlock it."),
    "38": say("The bank PIN is locked. Your bank can unlock it."),
    "61": say("It is more than the bank lets you pay in a day."),
    "65": say("It is more than the bank lets you pay in a day."),
    "54": say("The bank says that the card has expired."),
    "pin_cancelled": say("No bank PIN was entered."),
    "line_down": _BANK_OUT,
    "sign_on_unanswered": _BANK_OUT,
    "reversal_open": _BANK_OUT,
    "card_was_out": say("The card was out of the slot."),
    "reversed": say("The bank did not answer in time."),
}
# After these the same card may try again: nothing about it or the account is in the way.
TRY_AGAIN = frozenset({"55", "pin_cancelled", "card_was_out", "line_down", "sign_on_unanswered", "77", "99", "A0"})


def label_of(means: str) -> Text:
    return _LABELS[means]


def why_not(means: Means) -> tuple[Text, ...]:
    """One sentence for each means that this terminal has and that does not work now."""
    return tuple(
        device_words(reason, "") if one == CASH else _WHY_NOT.get(reason, _BANK_OUT)
        for one, reason in means.why_not.items()
    )


def choose_means(due: Fen, means: Means) -> Question:
    answers = tuple(Answer(one, _LABELS[one], icon=_ICONS[one]) for one in means.working)
    return Question(
        "choose_means",
        say("How do you want to pay {amount}?", amount=Amount(due)),
        (say("Nothing is paid yet. Your card is in the slot."),),
        Tiles(),
        (*answers, go_back()),
    )


def cannot_pay_here(means: Means) -> Question:
    return Question(
        "cannot_pay_here",
        say("You cannot pay your part here now"),
        (*why_not(means), say("Nothing was paid. The counter can help you.")),
        answers=(go_back(),),
        tone=Tone.CAUTION,
    )


def bank_pin(kiosk: Kiosk, due: Fen) -> Question:
    rules = kiosk.settings.bank
    return Question(
        "bank_pin",
        say("Enter your bank PIN"),
        (
            say("{amount} is paid from your bank account.", amount=Amount(due)),
            say("Not the social security PIN."),
            at_which_pad(kiosk),
        ),
        Stars(rules.pin_digits_min, rules.pin_digits_max, say("Your bank PIN")),
        (go_back(),),
    )


def at_which_pad(kiosk: Kiosk) -> Text:
    """A reader with a pad of its own never takes a bank PIN: where there are two, the right one is named."""
    if kiosk.settings.pin_mode == "A":
        return say("Use the machine's keypad, not the card reader's.")
    return say("Type it, then the green key.")


def bank_pin_again(kiosk: Kiosk, payment: BankPayment) -> Question:
    """For giving back what was just paid. Nothing is offered beside it: it is not the resident's to refuse."""
    rules = kiosk.settings.bank
    return Question(
        "bank_pin_again",
        say("Enter your bank PIN once more"),
        (
            say("{amount} go back to this card.", amount=Amount(payment.amount_fen)),
            say("Not the social security PIN."),
            at_which_pad(kiosk),
        ),
        Stars(rules.pin_digits_min, rules.pin_digits_max, say("Your bank PIN")),
    )


def asking_bank() -> Question:
    return _working("bank_asking", say("Asking the bank"), say("Asking the bank"))


def taking_back() -> Question:
    return _working("bank_reversing", say("The bank has not answered yet"), say("Asking it to take nothing"))


def _working(name: str, heading: Text, doing: Text) -> Question:
    return Question(name, heading, (say("Please leave the card in the slot."),), Waiting(doing))


def card_out() -> Question:
    return Question(
        "card_out_before_bank",
        say("Your card is out and your part is not paid"),
        (say("Put the same card back to pay."), say("Without it nothing is paid.")),
        Hands((Place.CARD_SLOT,)),
        tone=Tone.HANDS,
    )


def not_paid(reason: str, cash_works: bool) -> Question:
    """The bank surely took nothing: once more, in notes, or not at all."""
    explain = [_REFUSED.get(reason, say("The bank said no.")), say("Nothing was taken from your account.")]
    answers = []
    if reason in TRY_AGAIN:
        answers.append(Answer(AGAIN, say("Try again"), Role.MAIN))
    if cash_works:
        answers.append(Answer(CASH, _LABELS[CASH], Role.SECOND if answers else Role.MAIN, icon=_ICONS[CASH]))
    return Question(
        "card_not_paid",
        say("The bank card has not paid"),
        tuple(explain),
        answers=(*answers, Answer(UNDO, say("Do not pay"), Role.BACK)),
        tone=Tone.CAUTION,
    )


def undone() -> Question:
    return Question(
        "bill_not_paid",
        say("You have paid nothing"),
        (say("The settlement was undone. Your bill is still open."), say("Pay it here later or at the counter.")),
        answers=(Answer("understood", say("Understood"), Role.MAIN),),
        tone=Tone.DONE,
    )
