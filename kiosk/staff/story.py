"""What each act of the journal means to a person, for the staff screen and for the readers of the books."""

from kiosk.domain.text import Text, say

# An act without words is shown by its own name.
ACTS: dict[str, Text] = {
    "visit_opened": say("A card was put in and proved genuine."),
    "visit_closed": say("The visit ended."),
    "pin_entered": say("The social security PIN was entered."),
    "claim_intent": say("The terminal asked the hospital to reserve the bill."),
    "claimed": say("The hospital reserved the bill for this terminal."),
    "note_intent": say("A genuine note lay in escrow and was about to be taken."),
    "note_credited": say("The note was taken and credited."),
    "note_returned": say("The note went back."),
    "note_uncertain": say("Nobody knows where the note is: a person must look."),
    "settle_intent": say("The settlement (2207) was about to be sent."),
    "settle_refused": say("The platform refused; nothing was booked."),
    "settle_unknown": say("The platform did not answer."),
    "amounts_disagree": say("The platform's figures contradict each other: a person must look."),
    "settled": say("The bill was settled."),
    "settled_late": say("The platform had booked it after all; the money went where it belongs."),
    "settle_handed_over": say("The resident left with an outcome-pending paper; the terminal goes on asking."),
    "reversal_intent": say("A reversal (2601) was about to be sent."),
    "void_intent": say("The settlement was about to be undone (2208)."),
    "voided": say("The settlement was undone."),
    "dispense_intent": say("Notes were about to be paid out."),
    "dispensed": say("Notes were paid out, counted by the exit sensor."),
    "dispense_uncertain": say("It is not certain what was paid out: suspense, and a person must look."),
    "debt_owed": say("What could not be paid is owed to the holder."),
    "held_for_settlement": say("After a power cut the money waits for the settlement's outcome."),
    "receipt_delivered": say("The receipt was printed."),
    "receipt_not_confirmed": say("The receipt was not confirmed; it stays owed."),
    "settlement_undone": say("Nothing was settled; the bill was released."),
    "cash_box_out": say("Staff took the cash box out."),
    "cash_box_counted": say("Staff counted the cash box by hand, before any other figure was shown."),
    "cash_box_refused": say("A second person did not approve the count."),
    "cash_box_exchanged": say("The exchange of the cash box was approved and booked."),
    "drums_out": say("Staff opened the cassettes."),
    "drums_counted": say("Staff counted the cassettes by hand, before any other figure was shown."),
    "drums_refused": say("A second person did not approve the count of the cassettes."),
    "drums_exchanged": say("The loading of the cassettes was approved and booked."),
    "device_differs": say("Books and device differ: a person must look."),
    "end_of_day": say("The end of day was printed."),
    "note_of_nobody": say("A note was found that no visit explains."),
    "dispense_of_nobody": say("Notes went out that no visit explains."),
    "staff_called": say("A person was called."),
}


def act_words(act: str) -> Text:
    return ACTS.get(act) or say("{words}", words=act.replace("_", " "))
