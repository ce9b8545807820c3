"""What a process does before it touches a PIN: no core dump, no debugger, no swap, no life without its parent."""

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
# A page is locked when it is first touched, so before anything can be in it. To fetch all of them now, also those that
# never will be, takes 10 ms of the start, for which a resident waits.
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


class Orphaned(Exception):
    """The kiosk ended before this process was ready."""


def harden() -> None:
    """Locking memory needs root or an unlimited RLIMIT_MEMLOCK from the unit file, else it is left out: under a finite
    limit every later allocation could fail. The rest must work.

    Raises:
        OSError: the kernel refuses. Orphaned: the parent is gone already.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    for option, value in ((_PR_SET_DUMPABLE, 0), (_PR_SET_PDEATHSIG, signal.SIGKILL)):
        if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        raise Orphaned
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)
