"""How long a process waits for PostgreSQL: it depends on whether a person, a queue or an operator waits.

The server ends what takes longer. The values travel with each new connection, so they cost no round
trip. A process that has not said what it is, such as a command of manage.py, waits as long as it takes:
migrations, prune and analyze_queries may.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chatsite import env


class Role(StrEnum):
    WEB = "web"
    WORKER = "worker"
    COMMAND = "command"


# Commands of manage.py that are not typed in by an operator who waits for their end.
SERVING = {"worker": Role.WORKER, "rqworker": Role.WORKER, "runserver": Role.WEB}

_role = Role.COMMAND


def begin(role: Role) -> None:
    """Says what this process is. The settings look once, so it must be said before they are read."""
    global _role  # a process is one thing from its beginning to its end
    _role = role


def role_of(arguments: list[str]) -> Role:
    """What a process of `manage.py` with these arguments is."""
    return SERVING.get(arguments[1], Role.COMMAND) if len(arguments) > 1 else Role.COMMAND


@dataclass(frozen=True)
class Timeouts:
    """Seconds, 0 for ever: a statement, waiting for a lock, a transaction in which nothing happens."""

    statement: int = 0
    lock: int = 0
    idle_in_transaction: int = 0

    @property
    def options(self) -> str:
        """As libpq's connection parameter of this name wants it; empty where nothing is limited."""
        limits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }
        return " ".join(f"-c {name}={1000 * value}" for name, value in limits.items() if value)


def current() -> Timeouts:
    """Those of this process. All are read, so that a bad value is refused by whatever starts first."""
    return every()[_role]


def every() -> dict[Role, Timeouts]:
    """Those of each kind of process, as the environment has them."""
    web = Timeouts(
        env.number("DATABASE_STATEMENT_TIMEOUT", 10, most=3600),
        env.number("DATABASE_LOCK_TIMEOUT", 2, most=3600),
        env.number("DATABASE_IDLE_TIMEOUT", 10, most=3600),
    )
    worker = Timeouts(
        env.number("WORKER_STATEMENT_TIMEOUT", 60, most=3600),
        env.number("WORKER_LOCK_TIMEOUT", 10, most=3600),
        env.number("WORKER_IDLE_TIMEOUT", 60, most=3600),
    )
    return {Role.WEB: web, Role.WORKER: worker, Role.COMMAND: Timeouts()}
