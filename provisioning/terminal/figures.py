"""The agent's figures as Prometheus reads them (text exposition format 0.0.4), on loopback only."""

from collections.abc import Iterator, Mapping

from provisioning.terminal.poll import Polling

HELP: Mapping[str, str] = {
    "fleet_polls_total": "Questions to the fleet that were answered since the agent began",
    "fleet_silent_polls": "Questions one after the other that were not",
    "settings_version": "Of the city's settings in force, 0 for the box's own facts alone",
    "settings_trouble": "1 while the newest settings are not in force",
    "commands_untold": "Answers of commands that the fleet has not heard",
    "serving": "1 while a resident could be served",
    "slot_usable": "1 while the device in a slot can be used",
    "consumable_left": "Sheets, receipts, or notes that a box still takes",
    "consumable_days_left": "At the pace of the last two weeks",
    "disk_free_bytes": "Where the journal lies",
    "disk_wear_percent": "Of the disk's life, used",
    "temperature_celsius": "The hottest zone of the board",
    "modem_signal_dbm": "Of the modem",
    "clock_offset_seconds": "The fleet's time less this terminal's",
}
COUNTERS = ("fleet_polls_total",)
USABLE = ("ready", "busy", "degraded")

Sample = tuple[str, dict[str, str], float]


def exposition(polling: Polling) -> str:
    """The text that a collector reads."""
    lines: list[str] = []
    shown = ""
    terminal = {"terminal": polling.desired.identity.terminal_id}
    for name, labels, value in _samples(polling):
        full = f"yikatong_agent_{name}"
        if name != shown:
            kind = "counter" if name in COUNTERS else "gauge"
            lines += [f"# HELP {full} {HELP[name]}", f"# TYPE {full} {kind}"]
            shown = name
        told = ",".join(f'{key}="{one}"' for key, one in {**terminal, **labels}.items())
        lines.append(f"{full}{{{told}}} {value:g}" if isinstance(value, float) else f"{full}{{{told}}} {value}")
    return "\n".join(lines) + "\n"


def _samples(polling: Polling) -> Iterator[Sample]:
    """What is not known is not shown."""
    yield "fleet_polls_total", {}, polling.heard.polls
    yield "fleet_silent_polls", {}, polling.heard.failures
    yield "settings_version", {}, polling.desired.version
    yield "settings_trouble", {}, int(bool(polling.desired.trouble))
    yield "commands_untold", {}, len(polling.commands.book.untold())
    health = polling.health.newest
    if health is None:
        return
    yield "serving", {}, int(health.serving)
    for name, slot in health.slots.items():
        yield "slot_usable", {"slot": name}, int(slot.condition in USABLE)
    for name, one in health.consumables.items():
        yield "consumable_left", {"name": name}, one.left
    for name, one in health.consumables.items():
        if one.days_left is not None:
            yield "consumable_days_left", {"name": name}, one.days_left
    machine = health.machine
    offset_s = None if machine.clock_offset_ms is None else machine.clock_offset_ms / 1000
    known = {
        "disk_free_bytes": machine.disk_free_bytes,
        "disk_wear_percent": machine.disk_wear_percent,
        "temperature_celsius": machine.temperature_c,
        "modem_signal_dbm": machine.modem_signal_dbm,
        "clock_offset_seconds": offset_s,
    }
    for name, value in known.items():
        if value is not None:
            yield name, {}, value
