"""Codes of six digits that change every 30 s (TOTP, RFC 6238); each opens once."""

import hmac

import pyotp

from provisioning.fleet.people.sealing import Seal
from provisioning.fleet.schema.people import Person

ISSUER = "Yikatong"
STEP_MS = 30_000
STEPS_AROUND = 1  # a phone's clock may be half a minute off


def purpose(login: str) -> str:
    return f"totp:{login}"


def new_secret() -> str:
    return pyotp.random_base32()


def uri(secret: str, login: str) -> str:
    """``otpauth://`` for an authenticator app."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER))


def step_of(secret: str, code: str, at_ms: int) -> int | None:
    """The time step that this code belongs to; None where it belongs to none around now."""
    now = at_ms // STEP_MS
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        right = pyotp.TOTP(secret).at(step * STEP_MS // 1000)
        if hmac.compare_digest(right.encode(), code.strip().encode()):
            return step
    return None


def take(person: Person, seal: Seal, code: str, at_ms: int) -> bool:
    """Use a code up. False: wrong, or this one or a later one was used before."""
    if not person.totp_secret:
        return False
    step = step_of(seal.open(person.totp_secret, purpose(person.login)), code, at_ms)
    if step is None:
        return False
    unused = (Person.id == person.id) & (Person.totp_last < step)
    return bool(Person.update(totp_last=step).where(unused).execute() == 1)
