"""People who chat, for locust: they sign in, open pages, search, ask, and read each answer's stream to its end.

    locust --config deploy/load/locust.conf --host http://127.0.0.1:8000

Bounded in people, requests, questions and time; only this machine is loaded unless `--allow-host` names
the other one. docs/operations/load.md explains all of it.
"""

from __future__ import annotations

import csv
import logging
import random
import re
import secrets
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
from bounds import Bounds, refusal
from locust import HttpUser, TaskSet, between, events, task
from locust.exception import StopUser

logger = logging.getLogger("chatsite.load")

AFTER = re.compile(r'data-after="([0-9-]*)"')
CONVERSATION = re.compile(r"/c/[0-9a-f-]{36}/")
BUSY = (429, 503)
BEGINNING = "0-0"  # the event before the first one
MESSAGES = "/c/[id]/messages/"
PATIENCE = 60.0  # seconds for an answer
SIGN_IN_PATIENCE = 600.0  # the site lets one address sign in a few dozen times a minute
QUESTIONS = [
    "What is 17.5 % of 240?",
    "What time is it in Tokyo?",
    "Convert 5 miles to km",
    "How do I delete a conversation?",
    "How many days are there until Christmas?",
]


@events.init_command_line_parser.add_listener
def _options(parser: Any) -> None:
    group = parser.add_argument_group("chatsite", "What the load may do at the most.")
    group.add_argument("--allow-host", default="", help="the name of the host that may be loaded")
    group.add_argument("--accounts", default="", help="CSV of manage.py load_accounts")
    group.add_argument("--most-users", type=int, default=1000)
    group.add_argument("--most-requests", type=int, default=100_000)
    group.add_argument("--most-questions", type=int, default=1000, help="each is paid to the model")
    group.add_argument("--most-seconds", type=float, default=3600)
    group.add_argument("--think", default="10-40", help="seconds between two acts, from-to")


@events.init.add_listener
def _begin(environment: Any, **_kwargs: Any) -> None:
    options = environment.parsed_options
    why_not = refusal(environment.host, options.allow_host)
    if why_not:
        raise SystemExit(why_not)
    low, _, high = options.think.partition("-")
    ChatUser.wait_time = between(float(low), float(high or low))
    environment.bounds = Bounds(options.most_users, options.most_requests, options.most_questions)
    environment.accounts = _accounts(options.accounts)
    gevent.spawn_later(options.most_seconds, _end, environment, "the time")


def _accounts(path: str) -> Iterator[dict[str, str]]:
    """Rows of the file; without one, names that sign up."""
    if path:
        with Path(path).open(newline="") as file:
            yield from list(csv.DictReader(file))
        return
    while True:
        yield {"username": f"load-{secrets.token_hex(6)}", "password": secrets.token_urlsafe(16)}


def _form(account: dict[str, str]) -> dict[str, str]:
    """To log in; to sign up, where the account has no e-mail address yet."""
    name, password = account["username"], account["password"]
    if "email" in account:
        return {"login": name, "password": password}
    passwords = {"password1": password, "password2": password}
    return {"email": f"{name}@load.invalid", "username": name, **passwords}


def _leaving(why: str) -> StopUser:
    """Ends one person, and says why; the others go on."""
    logger.warning("Somebody leaves: %s", why)
    return StopUser(why)


@events.request.add_listener
def _count(context: dict[str, Any], **_kwargs: Any) -> None:
    environment = context.get("environment")
    if environment and not environment.bounds.take("requests"):
        _end(environment, "--most-requests")


def _end(environment: Any, bound: str) -> None:
    if environment.runner and environment.runner.state not in ("stopping", "stopped", "cleanup"):
        logger.warning("The load ends here: %s is used up.", bound)
        # Of its own: who uses the last one up is a person whose end quit() waits for.
        gevent.spawn(environment.runner.quit)


class Chat(TaskSet):
    """What one person does in one conversation. Somebody whom the site tells to come back later does."""

    def on_start(self) -> None:
        self.environment = self.user.environment
        # The page of locust can give another address than the command line did.
        why_not = refusal(self.user.host or "", self.environment.parsed_options.allow_host)
        if why_not or not self.environment.bounds.take("users"):
            raise _leaving(why_not or "--most-users is used up.")
        self.client.headers["Referer"] = f"{self.user.host}/"
        account = next(self.environment.accounts, None)
        if account is None:
            raise _leaving("The file of --accounts has no more rows.")
        self._sign_in(account)
        self.conversation = self._start()
        self._read_answer(BEGINNING, is_asked=True)

    @task(6)
    def open_conversation(self) -> None:
        self._ask_for("GET", self.conversation, name="/c/[id]/")

    @task(2)
    def open_list(self) -> None:
        self._ask_for("GET", "/", name="/")

    @task(1)
    def search(self) -> None:
        self._ask_for(
            "GET", "/search/", name="/search/", params={"words": random.choice(QUESTIONS)}
        )

    @task(2)
    def ask(self) -> None:
        """As a browser does: the stream goes on from the event that the page was drawn after."""
        if not self.environment.bounds.take("questions"):
            return
        page = self._ask_for("GET", self.conversation, name="/c/[id]/")
        after = AFTER.search(page.text) if page is not None else None
        if after:
            self._read_answer(after[1])

    def _read_answer(self, after: str, *, is_asked: bool = False) -> None:
        """Opens the stream, asks unless that has been done, and reads to the answer's end."""
        begun = time.monotonic()
        with self.client.get(
            f"{self.conversation}events/",
            params={"after": after},
            headers={"Accept": "text/event-stream"},
            name="/c/[id]/events/ (opened)",
            stream=True,
            timeout=PATIENCE,
            catch_response=True,
        ) as stream:
            if self._is_well(stream) and (is_asked or self._send(self._messages, MESSAGES)):
                self._follow(stream, begun)

    @property
    def _messages(self) -> str:
        return f"{self.conversation}messages/"

    def _follow(self, stream: Any, begun: float) -> None:
        """Reads up to the answer's end, and reports when its first words and its end came."""
        words = False
        for line in stream.iter_lines(decode_unicode=True):
            if line == "event: text" and not words:
                words = True
                self._report("the first words", begun)
            if line == "event: done":
                self._report("the whole answer", begun)
                return
            if time.monotonic() - begun > PATIENCE:
                break
        self._report("the whole answer", begun, TimeoutError("The answer did not end."))

    def _report(self, name: str, begun: float, error: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type="SSE",
            name=name,
            response_time=1000 * (time.monotonic() - begun),
            response_length=0,
            exception=error,
            context=self.user.context(),
        )

    def _sign_in(self, account: dict[str, str]) -> None:
        """By the session of the row, else the password; a name without e-mail address signs up."""
        if account.get("session"):
            self.client.cookies.set("sessionid", account["session"])
            return
        path = "/accounts/login/" if "email" in account else "/accounts/signup/"
        deadline = time.monotonic() + SIGN_IN_PATIENCE
        while time.monotonic() < deadline:
            self._ask_for("GET", path, name=path)
            if self._is_let_in(path, _form(account)):
                return
            gevent.sleep(random.uniform(5, 15))
        raise _leaving(f"{account['username']} could not sign in.")

    def _is_let_in(self, path: str, form: dict[str, str]) -> bool:
        """False where too many sign in from here. Raises StopUser where the form is refused."""
        with self._requested("POST", path, name=path, data=form, allow_redirects=False) as response:
            if response.status_code in BUSY:
                response.success()
                return False
            if response.status_code not in (302, 303):
                response.failure(f"{response.status_code}: the form was not accepted")
                raise _leaving("The site does not let them in.")
            return True

    def _start(self) -> str:
        """Begins a conversation, from the list as people do: its path."""
        self._ask_for("GET", "/", name="/")
        response = self._send("/", "/ (begun)")
        found = CONVERSATION.search(response.headers.get("Location", "")) if response else None
        if found is None:
            raise _leaving("No conversation could be begun.")
        return found[0]

    def _send(self, path: str, name: str) -> Any:
        """A question of the list, with the key that makes it safe to send again."""
        form = {"text": random.choice(QUESTIONS), "key": str(uuid.uuid4())}
        return self._ask_for("POST", path, name=name, data=form, allow_redirects=False)

    def _ask_for(self, method: str, path: str, **options: Any) -> Any:
        """The response, or None where it was not what was asked for; both are in the statistics."""
        with self._requested(method, path, **options) as response:
            return response if self._is_well(response) else None

    def _requested(self, method: str, path: str, **options: Any) -> Any:
        token = {"X-CSRFToken": self.client.cookies.get("csrftoken", "")}
        return self.client.request(
            method, path, headers=token, timeout=PATIENCE, catch_response=True, **options
        )

    def _is_well(self, response: Any) -> bool:
        """False after an error, or after waiting as long as a busy site asks for.

        Being told when to come back is what a site under too much load should say: it is no failure,
        and counted by itself.
        """
        wait = response.headers.get("Retry-After", "")
        if response.status_code in BUSY and wait.isdigit():
            response.success()
            self._report(f"told to come back ({response.status_code})", time.monotonic())
            gevent.sleep(int(wait))
            return False
        if not 200 <= response.status_code < 400:
            response.failure(f"{response.status_code} {response.reason}")
            return False
        return True


class ChatUser(HttpUser):
    """One person."""

    tasks = [Chat]

    def context(self) -> dict[str, Any]:
        """What each request's event carries."""
        return {"environment": self.environment}
