"""Children that do not outlive their parent, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent(parent: int, sent: signal.Signals) -> None:
    """This process gets `sent` when its parent, the process `parent`, dies; on Linux alone.

    For a child's first lines. Also undoes ignored signals, which a child inherits.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sent)
    if os.getppid() != parent:  # it died before that
        os.kill(os.getpid(), sent)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_DFL)
