"""What a terminal told of its machine, as lines for people; what it could not tell is left out."""

from collections.abc import Iterator, Mapping

from provisioning.fleet.console import words
from provisioning.fleet.console.visit import Visit
from provisioning.rules.poll import Machine, TypedKey, WorkingKeys

MIB = 1024 * 1024
CLOCK_OFF_MS = 2000  # less is nothing to speak of


def lines(visit: Visit, machine: Machine) -> Iterator[tuple[str, str]]:
    """Name and value, translated."""
    told = machine
    if told.disk_free_bytes is not None:
        yield visit.say("Disk free"), f"{told.disk_free_bytes // MIB} MiB"
    if told.disk_wear_percent is not None:
        yield visit.say("Disk worn"), f"{told.disk_wear_percent:g} %"
    if told.memory_free_bytes is not None:
        yield visit.say("Memory free"), f"{told.memory_free_bytes // MIB} MiB"
    if told.temperature_c is not None:
        yield visit.say("Temperature"), f"{told.temperature_c:g} °C"
    if told.rtc_battery is not None:
        battery = {"good": visit.say("good"), "low": visit.say("low"), "none": visit.say("none")}
        yield visit.say("Clock battery"), battery[told.rtc_battery]
    if told.clock_offset_ms is not None and abs(told.clock_offset_ms) >= CLOCK_OFF_MS:
        yield visit.say("Clock off by"), f"{told.clock_offset_ms / 1000:g} s"
    if told.modem_signal_dbm is not None:
        yield visit.say("Mobile signal"), f"{told.modem_signal_dbm:g} dBm"
    if told.modem_bytes_today is not None:
        yield visit.say("Mobile traffic today"), f"{told.modem_bytes_today / MIB:.1f} MiB"
    if told.up_s is not None:
        yield visit.say("Running for"), f"{told.up_s // 3600} h"


def working_keys(visit: Visit, keys: Mapping[str, WorkingKeys]) -> Iterator[tuple[str, str]]:
    """Each kind with its age and the age that it may have."""
    for domain, told in keys.items():
        name = visit.say("Working keys: {domain}", domain=words.of("domain", domain, visit.language))
        if told.age_s is None:
            yield name, visit.say("none since the last start")
        else:
            yield name, visit.say("{n} h old, {m} h at most", n=told.age_s // 3600, m=told.age_s_max // 3600)


def typed_keys(visit: Visit, keys: Mapping[str, TypedKey]) -> Iterator[tuple[str, str]]:
    """Each key that custodians type at the pad, with its check value, or that nothing is done with it."""
    for key, told in keys.items():
        name = visit.say("Key typed at the pad: {key}", key=key)
        if told.in_doubt:
            yield name, visit.say("in doubt: two custodians must type and confirm it")
        elif told.check_value:
            yield name, visit.say("check value {value}", value=told.check_value)
        else:
            yield name, visit.say("not typed here yet")
