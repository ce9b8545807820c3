"""Passwords: argon2id, a few at a time, and what is too weak to be one."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from provisioning.fleet.actor import Refused

LENGTH_MIN, LENGTH_MAX = 12, 128
DIFFERENT_MIN = 6
LOGIN_COUNTS = 4  # letters; a shorter login stands in many a good password by chance
# RFC 9106, second recommended choice: 64 MiB and 3 passes. A burst of sign-ins must not take a box's memory.
AT_ONCE = BoundedSemaphore(2)
IN_LINE = BoundedSemaphore(8)  # a flood of sign-ins must not take every thread of the process either
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# Stands for the hash of somebody who does not exist: saying no takes as long as for somebody who does.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$B7Cg7v0HS9OXcv/E4nkDig$7T4VxBxFISSgbWmGSZGbKPZ1qisgrfU8ONJyjx/wtZk"


def hashed(password: str) -> str:
    """Raises Refused: too many at this moment."""
    with _turn():
        return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Also takes its time where there is no hash. Raises Refused: too many at this moment."""
    with _turn():
        try:
            return _HASHER.verify(password_hash or NOBODY, password[:LENGTH_MAX]) and bool(password_hash)
        except (VerifyMismatchError, InvalidHashError):
            return False


@contextmanager
def _turn() -> Iterator[None]:
    if not IN_LINE.acquire(blocking=False):
        raise Refused("busy", "Too many people sign in at this moment. Try again in a minute.")
    try:
        with AT_ONCE:
            yield
    finally:
        IN_LINE.release()


def must_be_strong(password: str, login: str) -> None:
    """Raises Refused: too short, too long, too few different characters, or the login in it."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise Refused("password_short", "A password has 12 to 128 characters.")
    named = len(login) >= LOGIN_COUNTS and login.lower() in password.lower()
    if len(set(password)) < DIFFERENT_MIN or named:
        raise Refused("password_weak", "Choose a password that is harder to guess.")
