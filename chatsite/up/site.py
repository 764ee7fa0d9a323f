"""The course of `manage.py up`, from the first check to the last server's end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TextIO
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.db import Error as DatabaseError

from chatsite.embedded import EmbeddedError, Hold, missing_servers, running
from chatsite.up import messages, preflight, preparation
from chatsite.up.children import specs
from chatsite.up.preparation import Account
from chatsite.up.problems import Problem
from chatsite.up.progress import Progress
from chatsite.up.signals import Interrupted, Signals
from chatsite.up.supervisor import Supervisor


@dataclass(frozen=True)
class Options:
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1

    @property
    def url(self) -> str:
        """Where this machine's own browser finds the site."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def run(options: Options, out: TextIO) -> None:
    """Runs the site until a signal. Raises Problem where it cannot start or go on."""
    progress = Progress(out)
    with Signals() as signals:
        try:
            _check(options, progress)
            with ExitStack() as servers:
                hold = _start_servers(servers, progress)
                account = _prepare(progress)
                signals.interrupting = False
                supervisor = _supervisor(options, progress, signals, hold)
                try:
                    _open_doors(supervisor, options.url, account, progress)
                    supervisor.watch_until_asked_to_stop()
                finally:
                    with progress.step("Stopping") as step:
                        supervisor.stop()
                        signals.interrupting = True
                        servers.close()
                        step.result = "stopped"
        except Interrupted:
            progress.say(messages.STOPPED)


def _check(options: Options, progress: Progress) -> None:
    progress.say(messages.starting(as_root=preflight.is_root()))
    if settings.DEBUG and not preflight.is_loopback(options.host):
        progress.say(messages.open_to_others(options.host, settings.ALLOWED_HOSTS))
    preflight.check_port(options.host, options.port)
    preflight.check_room(settings.DATA_DIR)
    preflight.raise_file_limit()


def _start_servers(servers: ExitStack, progress: Progress) -> Hold:
    names = missing_servers() if settings.DEBUG else ()
    if not names:
        return Hold(settings.DATA_DIR, ())
    with progress.step(messages.servers(names)), _server_problems():
        return servers.enter_context(running(settings.DATA_DIR, names))


def _revive_servers(hold: Hold, progress: Progress) -> None:
    """Their keeper may have been killed; it is started again before anyone misses it for long."""
    with _server_problems():
        if hold.ensure():
            progress.say("The servers had ended; they run again.")


def _prepare(progress: Progress) -> Account:
    with _database_problems():
        with progress.step("Database tables") as step:
            applied = preparation.migrate()
            step.result = f"{applied} migrations applied" if applied else "up to date"
        if settings.DEBUG:
            return _accounts(progress)
        with progress.step("Static files"):
            preparation.static_files()
        preparation.let_go()
    return Account("")


def _accounts(progress: Progress) -> Account:
    with progress.step("Staff account") as step:
        account = preparation.staff_account()
        step.result = f"{account.name} {'created' if account.password else 'is there'}"
    with progress.step("Demo conversation"):
        preparation.demo(account)
    preparation.let_go()
    return account


def _supervisor(options: Options, progress: Progress, signals: Signals, hold: Hold) -> Supervisor:
    children = specs(
        host=options.host,
        port=options.port,
        workers=options.workers,
        environment=_environment(progress),
    )
    return Supervisor(children, progress, signals, upkeep=lambda: _revive_servers(hold, progress))


def _open_doors(supervisor: Supervisor, url: str, account: Account, progress: Progress) -> None:
    try:
        with progress.step("Web server and worker"):
            supervisor.watch(until=lambda: _answers(url))
    except BaseException:
        if account.password:  # it is shown once, so also when this start fails
            progress.say(messages.log_in(account, progress.strong))
        raise
    progress.say(messages.welcome(url, account, progress.strong))


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}health/live", timeout=2) as response:  # noqa: S310  # ours, http
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def _environment(progress: Progress) -> dict[str, str]:
    """For the children: colours where we have them, and no line a request unless asked for."""
    colours = {"FORCE_COLOR": "1"} if progress.colour else {}
    quiet = {} if os.environ.get("LOG_LEVEL") or not settings.DEBUG else {"LOG_LEVEL": "WARNING"}
    return colours | quiet


@contextmanager
def _server_problems() -> Iterator[None]:
    try:
        yield
    except EmbeddedError as error:
        raise Problem(str(error)) from None


@contextmanager
def _database_problems() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise Problem(messages.database(error, embedded="database" in missing_servers())) from None
