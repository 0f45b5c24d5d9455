"""Process 1 of a container: a parent in front of the service that does what only process 1 can.

The kernel gives every orphan of a container to process 1, which has to collect it when it ends, and
passes process 1 only signals that it handles. Small programs such as tini exist for this, and
``docker run --init`` puts one there. Without one, this process forks before it has imported
anything: the child is the service, and its parent collects, passes signals on, and ends with the
child's exit status. The supervisor collecting orphans itself would be fewer processes, but it would
have to tell them from the workers that asyncio waits for, at every moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Final

PASSED_ON: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


def be_init_of(service: Callable[[], None]) -> None:
    """Run a service below this process, and end as it ends.

    Args:
        service: Called in the child, whose process id is another; its return is the child's end.
    """
    # Until it is known to whom to pass them, signals wait.
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    child = os.fork()
    if not child:
        _hand_over_variables(os.environ)
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
        service()
        return

    def pass_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup's choice holds for both
            signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
    sys.exit(_collect_until(child))


def _collect_until(child: int) -> int:
    """Collect whatever ends, until the service has; return the exit status to pass on.

    As a shell does, it is 128 and the number of the signal that ended the service.
    """
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _hand_over_variables(environ: MutableMapping[str, str]) -> None:
    """Let the service have what was meant for the process that it stands for.

    ``sd_listen_fds(3)`` and ``sd_watchdog_enabled(3)`` name their receiver by process id.
    """
    for name in ("LISTEN_PID", "WATCHDOG_PID"):
        if environ.get(name) == str(os.getppid()):
            environ[name] = str(os.getpid())
