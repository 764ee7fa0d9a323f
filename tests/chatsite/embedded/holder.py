"""Another process that needs the servers of a data directory, until it is told or killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from chatsite.embedded import cache_url

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from chatsite.embedded import EmbeddedError, running
try:
    with running(Path(sys.argv[1]), tuple(sys.argv[2].split(",")), volatile=True):
        print("ready", flush=True)
        sys.stdin.read()
except EmbeddedError as error:
    print(error, flush=True)
"""


class Holder:
    """`with Holder(data_dir) as holder:`; leaving lets go of the servers and waits for that."""

    def __init__(self, data_dir: Path, names: str = "cache") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data_dir), names],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        """ "ready", or why not."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def let_go(self) -> None:
        self.process.communicate(timeout=30)

    def __enter__(self) -> Self:
        said = self.said()
        assert said == "ready", said
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self.process.returncode is None:
            self.let_go()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def answers(data_dir: Path) -> bool:
    """Whether the cache instance of `data_dir` does."""
    with redis.Redis.from_url(cache_url(data_dir)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
