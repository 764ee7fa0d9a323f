"""From nothing but a repository to the first answer, as somebody who follows the README gets it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from tests.servers import free_port

QUESTION, ANSWER = "What is 17 * 23?", "391"
PASSWORD = "a password for a benchmark 1"
PATIENCE = 300.0  # seconds
# What this process was told is not what a stranger's shell says.
NOT_INHERITED = {
    *("DATABASE_URL", "CACHE_URL", "QUEUE_URL", "DATA_DIR", "TEST_DATA_DIR", "TEST_EMBEDDED"),
    *(
        "DJANGO_SETTINGS_MODULE",
        "SECRET_KEY",
        "LOG_LEVEL",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "MAKEFLAGS",
    ),
}


def first_answer(root: Path) -> float:
    """Seconds from `git clone` of what is committed in `root` until a page shows ANSWER."""
    with tempfile.TemporaryDirectory() as name:
        clone, port = Path(name) / "chatsite", free_port()
        begun = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", root, clone], check=True)
        with running(clone, port):
            person = Person(f"http://127.0.0.1:{port}")
            person.wait_for_the_site()
            person.sign_up()
            person.ask(QUESTION)
            person.wait_for(ANSWER)
            return time.monotonic() - begun


@contextmanager
def running(clone: Path, port: int) -> Iterator[None]:
    """`make run` until the block ends; its output is in run.log."""
    others = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    with (clone / "run.log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env=others | {"PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    except TimeoutError as error:
        raise SystemExit(f"{error}\n{(clone / 'run.log').read_text()[-4000:]}") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


class Person:
    """A browser without scripts."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.page = ""
        self._cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))

    def wait_for_the_site(self) -> None:
        for _ in patiently("The site did not start."):
            with suppress(URLError, ConnectionError):
                self.get("/")
                return

    def sign_up(self) -> None:
        self.get("/accounts/signup/")
        fields = {"email": "somebody@example.org", "username": "somebody"}
        self.post("/accounts/signup/", fields | {"password1": PASSWORD, "password2": PASSWORD})

    def ask(self, text: str) -> None:
        self.get("/")
        self.post("/", {"text": text})

    def wait_for(self, words: str) -> None:
        for _ in patiently(f"No answer has {words}."):
            self.get(self.address)
            if words in self.page:
                return

    def get(self, path: str) -> None:
        self._open(f"{self.site}{path}", None)

    def post(self, path: str, fields: dict[str, str]) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)
        data = fields | {"csrfmiddlewaretoken": token[1] if token else ""}
        self._open(f"{self.site}{path}", urlencode(data).encode())

    def _open(self, url: str, data: bytes | None) -> None:
        with self._opener.open(url, data, timeout=30) as response:
            self.page = response.read().decode()
            self.address = response.geturl().removeprefix(self.site)


def patiently(problem: str) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
    raise TimeoutError(problem)
