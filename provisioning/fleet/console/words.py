"""Codes of tables in plain words. A code that is not here is shown as it is, so that nothing is hidden."""

from collections.abc import Mapping

from provisioning.fleet.console.trail_words import ACT
from provisioning.fleet.l10n.catalog import msg, say

ROLE = {
    "viewer": msg("Viewer"),
    "operator": msg("Operator"),
    "key_officer": msg("Key officer"),
    "bank_key_officer": msg("Bank key officer"),
    "approver": msg("Approver"),
    "auditor": msg("Auditor"),
    "system_admin": msg("System administrator"),
    "security_admin": msg("Security administrator"),
}
PLACE = {"city": msg("City"), "district": msg("District"), "hall": msg("Hall")}
PROFILE = {"": msg("All"), "hall": msg("Agency hall"), "hospital": msg("Hospital"), "village": msg("Village")}
# How a terminal stands, worst first.
STANDING = {
    "trouble": msg("Serves nobody"),
    "silent": msg("Silent"),
    "attention": msg("Wants attention"),
    "out_of_service": msg("Out of service"),
    "registered": msg("Not enrolled yet"),
    "serving": msg("Serving"),
    "stopped": msg("Stopped"),
    "retired": msg("Retired"),
}
CONDITION = {
    "absent": msg("Absent"),
    "starting": msg("Starting"),
    "ready": msg("Ready"),
    "busy": msg("Busy"),
    "degraded": msg("Wants attention"),
    "unknown": msg("No answer"),
    "fault": msg("Fault"),
}
SLOT = {
    "card_reader": msg("Card reader"),
    "sam_reader": msg("PSAM reader"),
    "pin_pad": msg("PIN pad"),
    "receipt_printer": msg("Receipt printer"),
    "page_printer": msg("Page printer"),
    "cash_acceptor": msg("Cash acceptor"),
    "cash_dispenser": msg("Cash dispenser"),
    "barcode_reader": msg("Barcode reader"),
    "id_card_reader": msg("ID card reader"),
    "lights": msg("Lights"),
    "headset": msg("Headset"),
}
COMMAND = {
    "out_of_service": msg("Take out of service"),
    "back_in_service": msg("Back in service"),
    "restart": msg("Restart the program"),
    "reboot": msg("Restart the machine"),
    "logs": msg("Fetch the log"),
    "picture": msg("Fetch a masked picture"),
    "doctor": msg("Self-examination"),
    "test_page": msg("Print a test page"),
    "swap": msg("A part was swapped"),
    "decommission": msg("Decommission"),
    "wipe": msg("Wipe"),
}
COMMAND_STATE = {
    "waiting": msg("Waits for the terminal"),
    "done": msg("Done"),
    "refused": msg("Refused by the terminal"),
    "expired": msg("Too late"),
    "failed": msg("Failed"),
    "withdrawn": msg("Taken back"),
}
PROPOSAL = {
    "person": msg("A new person"),
    "grant": msg("A role"),
    "invitation": msg("A new invitation"),
    "settings": msg("Settings of a place"),
    "rollout": msg("Rollout"),
    "command:reboot_place": msg("Restart of a whole place"),
    "command:picture": msg("Masked picture"),
    "command:decommission": msg("Decommission"),
    "command:wipe": msg("Wipe"),
    "keys_social": msg("Social security keys"),
    "keys_bank": msg("Bank keys"),
    "doubt": msg("Whom to believe of two"),
    "late_renewal": msg("Renewal of an expired certificate"),
    "board": msg("Another board in a terminal"),
}
PROPOSAL_STATE = {
    "waiting": msg("Waits for approval"),
    "approved": msg("Approved"),
    "refused": msg("Refused"),
    "withdrawn": msg("Taken back"),
    "expired": msg("Nobody approved it in time"),
}
EVENT = {
    "serving": msg("Serving changed"),
    "slot": msg("A part changed"),
    "version": msg("Another version"),
    "settings": msg("Settings changed"),
    "first_report": msg("Told how it is for the first time"),
    "boot": msg("Started anew"),
    "two_places": msg("Seen in two places at once"),
}
FACT = {
    "login": msg("Login"),
    "name": msg("Name"),
    "role": msg("Role"),
    "place": msg("Place"),
    "profile": msg("For which terminals"),
    "bodies": msg("Files"),
    "settings": msg("Settings"),
    "terminal_id": msg("Terminal"),
    "act": msg("Command"),
    "arguments": msg("With"),
    "believe": msg("Believe"),
    "fingerprint": msg("Key"),
    "board": msg("The new board's key"),
    "set": msg("What it brings"),
    "waves": msg("Waves, one after the other"),
    "gate": msg("Bounds of each wave, in percent"),
    "was": msg("before"),
    "is": msg("now"),
    "part": msg("Part"),
    "trouble": msg("Trouble"),
    "version": msg("Version"),
}
REASON = {
    "": "",
    "silent": msg("does not answer"),
    "lost": msg("line lost"),
    "unplugged": msg("unplugged"),
    "not_fitted": msg("not fitted"),
    "absent": msg("absent"),
    "paper_low": msg("paper runs low"),
    "paper_out": msg("no paper"),
    "cover_open": msg("cover open"),
    "jam": msg("jammed"),
    "bad_settings": msg("its settings cannot be used"),
    "simulator_refused": msg("a simulator, refused in production"),
    "line_busy": msg("line busy"),
    "psam_blocked": msg("this PSAM is blocked: stop the terminal and look for it"),
    "psam_list_unusable": msg("the list of blocked PSAMs is not the agency's"),
}
CONSUMABLE = {
    "receipt_printer": msg("Receipt paper"),
    "page_printer": msg("A4 paper"),
    "cash_box": msg("Cash box"),
}
ROLLOUT_STATE = {
    "waiting": msg("Waits for approval"),
    "running": msg("Running"),
    "paused": msg("Paused"),
    "returning": msg("Going back"),
    "returned": msg("Went back"),
    "finished": msg("Finished"),
    "stopped": msg("Stopped for good"),
}
WAVE_STATE = {
    "waiting": msg("Waits for the wave before"),
    "running": msg("Running"),
    "passed": msg("Passed"),
    "returning": msg("Going back"),
    "returned": msg("Went back"),
}
BOUND = {
    "success_percent_min": msg("At least so many succeed"),
    "error_percent_max": msg("At most so many go wrong"),
    "overdue_percent_max": msg("At most so many are late"),
    "failed_interactions_percent_max": msg("At most so many interactions fail"),
}
REQUEST_STATE = {
    "waiting": msg("Waits to be confirmed"),
    "confirmed": msg("Confirmed, gets its certificate"),
    "issued": msg("Has its certificate"),
    "refused": msg("Refused"),
}
DONE = {
    "taken": msg("It is yours now."),
    "quiet": msg("Nobody is told until then. The page still shows it."),
    "heard_again": msg("Alerts are told again."),
    "saved": msg("Saved."),
    "made": msg("Made."),
    "proposed": msg("Proposed. Another person must approve it."),
    "approved": msg("Approved and done."),
    "refused": msg("Refused."),
    "withdrawn": msg("Taken back."),
    "sent": msg("Sent. The terminal gets it when it asks next."),
    "password": msg("Your password is changed. Other browsers are signed out."),
    "signed_out": msg("You are signed out."),
    "invited": msg("Your sign-in is ready. Sign in with it now."),
    "confirmed": msg("Confirmed. The terminal gets its certificate when it asks next."),
}
SEVERITY = {"notice": msg("Plan it"), "warning": msg("Look into it"), "urgent": msg("At once")}
ALERT = {
    "silent": msg("A terminal is silent"),
    "silent_long": msg("A terminal has been silent for long"),
    "hall_dark": msg("A whole place is silent"),
    "not_serving": msg("A terminal serves nobody"),
    "device": msg("A part wants something"),
    "running_out": msg("Paper or cash runs out"),
    "unsent_old": msg("Records have waited long for a line"),
    "suspense_old": msg("Money has waited long for an answer"),
    "disk_full": msg("A disk is nearly full"),
    "disk_worn": msg("A disk is worn"),
    "hot": msg("A terminal is too hot"),
    "clock": msg("A clock is wrong"),
    "rtc_battery": msg("A clock's battery is empty"),
    "failed_interactions": msg("Many residents do not get through"),
    "working_keys": msg("Working keys in a pad are too old, or missing"),
    "settings": msg("The newest settings are not in force"),
    "ledger": msg("Records of a terminal do not fit"),
    "rollout": msg("An update went back by itself"),
    "certificate": msg("A terminal's certificate ends"),
    "call": msg("Nobody came to a call for help"),
    "expiring": msg("Something that all need ends soon"),
}
# When each begins that no city sets.
ALERT_FIXED = {
    "hall_dark": msg("when at least two terminals of a place, and four in five, are silent together"),
    "ledger": msg("at once, until two people have settled it"),
    "rollout": msg("at once, until somebody decides what becomes of it"),
    "certificate": msg("30 days before it ends; at once from 7 days before"),
    "expiring": msg(
        "90, 30 and 7 days before it ends; what lives for less, when half of its life is left, a third, a sixth"
    ),
    "call": msg("when nobody took the call for ten minutes"),
}
UNIT = {
    "hours": msg("hours"),
    "pieces": msg("of them"),
    "days": msg("days"),
    "yuan": msg("yuan"),
    "megabytes": msg("MB"),
    "percent": msg("percent"),
    "celsius": msg("°C"),
    "dbm": msg("dBm"),
    "seconds": msg("seconds"),
}
CALL_REASON = {
    "resident_asked": msg("a resident asked"),
    "paper_left": msg("paper was left behind"),
    "card_left": msg("a card was left behind"),
}
ACCOUNT = {
    "resident": msg("Inside, not booked"),
    "holder_debt": msg("Owed to the holder"),
    "suspense": msg("Under check"),
    "contributions": msg("Contribution not credited"),
    "cash_box": msg("Cash box"),
    "drums": msg("Drums"),
    "escrow": msg("In the mouth"),
    "outlet": msg("In the outlet"),
    "vault": msg("Vault"),
    "hospital": msg("Hospital"),
    "agency": msg("Agency"),
    "bank_clearing": msg("Bank"),
    "personal_account": msg("Personal account"),
    "surplus": msg("Surplus"),
    "shortage": msg("Shortage"),
}
DOMAIN = {"social": msg("Social security"), "bank": msg("Bank")}
KEY_STATE = {
    "waiting": msg("Waits for the terminal"),
    "done": msg("Loaded, the check value agrees"),
    "differs": msg("Another check value: do not use it"),
    "refused": msg("Refused by the terminal"),
    "failed": msg("Failed"),
    "withdrawn": msg("Taken back"),
}
ENDING = {
    "authority": msg("Authority of certificates"),
    "software": msg("Signed software"),
    "offline_policy": msg("Rules for the time without a line"),
    "hotlist": msg("List of lost and blocked cards"),
    "psam_blocklist": msg("List of blocked PSAMs"),
    "certificate": msg("Certificate"),
    "key_block": msg("Key block"),
    "late_renewal": msg("Expired certificate"),
}
ENDING_STEP = {
    "authority": msg("Add the next authority in time, then retire this one."),
    "software": msg("Two people sign it anew."),
    "offline_policy": msg("Bring the agency's next one with the settings: without it no money moves offline."),
    "hotlist": msg("Bring the agency's next one with the settings: without it no card is served offline."),
    "psam_blocklist": msg("Bring the agency's next one with the settings."),
    "certificate": msg("It renews by itself when the terminal is heard."),
    "key_block": msg("Is the terminal on the line? Else send it anew."),
    "late_renewal": msg("Two people must agree to renew it."),
}
_KINDS: Mapping[str, Mapping[str, str]] = {
    "role": ROLE,
    "place": PLACE,
    "profile": PROFILE,
    "standing": STANDING,
    "condition": CONDITION,
    "slot": SLOT,
    "command": COMMAND,
    "command_state": COMMAND_STATE,
    "proposal": PROPOSAL,
    "proposal_state": PROPOSAL_STATE,
    "done": DONE,
    "event": EVENT,
    "fact": FACT,
    "reason": REASON,
    "consumable": CONSUMABLE,
    "act": {**COMMAND, **ACT},
    "request_state": REQUEST_STATE,
    "rollout_state": ROLLOUT_STATE,
    "wave_state": WAVE_STATE,
    "bound": BOUND,
    "severity": SEVERITY,
    "alert": ALERT,
    "alert_fixed": ALERT_FIXED,
    "unit": UNIT,
    "call_reason": CALL_REASON,
    "account": ACCOUNT,
    "domain": DOMAIN,
    "key_state": KEY_STATE,
    "ending": ENDING,
    "ending_step": ENDING_STEP,
}


def of(kind: str, code: str, language: str) -> str:
    """Raises KeyError: there is no such kind of words."""
    msgid = _KINDS[kind].get(code)
    return say(language, msgid) if msgid else code
