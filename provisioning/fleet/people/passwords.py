"""Passwords: argon2id, a few at a time, and what is too weak to be one."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from provisioning.fleet.actor import Refused

LENGTH_MIN, LENGTH_MAX = 12, 128
DIFFERENT_MIN = 6
# RFC 9106, second recommended choice: 64 MiB and 3 passes. A burst of sign-ins must not take a box's memory.
AT_ONCE = BoundedSemaphore(2)
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# Stands for the hash of somebody who does not exist: saying no takes as long as for somebody who does.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$B7Cg7v0HS9OXcv/E4nkDig$7T4VxBxFISSgbWmGSZGbKPZ1qisgrfU8ONJyjx/wtZk"


def hashed(password: str) -> str:
    with AT_ONCE:
        return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Also takes its time where there is no hash."""
    with AT_ONCE:
        try:
            return _HASHER.verify(password_hash or NOBODY, password[:LENGTH_MAX]) and bool(password_hash)
        except (VerifyMismatchError, InvalidHashError):
            return False


def must_be_strong(password: str, login: str) -> None:
    """Raises Refused: too short, too long, too few different characters, or the login in it."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise Refused("password_short", "A password has 12 to 128 characters.")
    if len(set(password)) < DIFFERENT_MIN or login.lower() in password.lower():
        raise Refused("password_weak", "Choose a password that is harder to guess.")
