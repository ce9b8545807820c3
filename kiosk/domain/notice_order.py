"""Which message of a card waits behind another one that its host refused for good and a person must look at.

Whatever is merely not told yet keeps the order of its card. What was put aside may stay so for days, and would hold up
debts that must be registered to be paid (money-rules 19) and uncertain money that is to be known in minutes (rule 2),
because an old message of the same card was refused. So only that waits whose meaning hangs on the refused one: told
before it, and the older one released later, the host would end with the opposite of what the holder was told last.
"""

from collections.abc import Mapping

# act -> acts of the same card at the same host behind which it waits, once they were put aside
WAITS_BEHIND: Mapping[str, tuple[str, ...]] = {
    "loss_report": ("loss_report", "loss_withdrawal"),
    "loss_withdrawal": ("loss_report", "loss_withdrawal"),
    "payment_undone": ("payment",),
}

# act -> an entry of the same lane by which its holder said the opposite since, and the act of the notice by which that
# may still be told after it. Released where it is not, it would undo what its holder said last.
SAID_SINCE: Mapping[str, tuple[str, str]] = {"loss_withdrawal": ("loss_report_intent", "loss_report")}
