"""Everything for one machine in one process tree: servers, database, web server, worker.

`run` prepares each in turn and says what it does, then watches the children until it is told to
stop or one of them cannot be kept alive. Nothing outlives it: docs/architecture.md.
"""

from __future__ import annotations

from chatsite.up.problems import Problem
from chatsite.up.site import Options, run

__all__ = ["Options", "Problem", "run"]
