"""A card job: a generator that yields command APDUs, is sent response APDUs and returns its result.

Whatever carries APDUs drives it: PC/SC, or a maker's library. Light: the short-lived PIN process imports it too.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

Answer = TypeVar("Answer")

# Response APDUs are data and status word.
CardJob = Generator[bytes, bytes, Answer]


def drive(job: CardJob[Answer], transmit: Callable[[bytes], bytes]) -> Answer:
    """Run a whole card job over a blocking ``transmit``; what that raises closes the job and goes on up."""
    try:
        apdu = next(job)
        while True:
            apdu = job.send(transmit(apdu))
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    finally:
        job.close()
