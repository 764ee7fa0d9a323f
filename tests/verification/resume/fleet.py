"""The site as it is deployed: two web processes behind nginx, two workers, a queue that keeps a log on disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from asgiref.sync import sync_to_async
from django.db import connections

from chatsite.embedded.valkey import SETTINGS
from tests.conversations.ai.openai.scripted import serving
from tests.nginx import NGINX, nginx
from tests.servers import ThrowAwayValkey
from tests.site import Site
from tests.verification.resume.provider import Provider

QUEUE = {**SETTINGS["queue"], "appendonly": "yes", "appendfsync": "everysec"}
RESTART = 0.5  # seconds until something that died is started again


class Fleet:
    """`with Fleet(directory, model_url) as fleet:` answers at each of `fleet.fronts`.

    Where nginx is not installed the web processes are asked directly. `environment` goes to all processes.
    """

    def __init__(self, directory: Path, model_url: str, **environment: str) -> None:
        self._directory = directory
        self._stack = ExitStack()
        options = [part for name, value in QUEUE.items() for part in (f"--{name}", value)]
        self.queue = ThrowAwayValkey(directory, *options)
        told = {"LLM_BASE_URL": model_url, "LLM_MODEL": "teller", "QUEUE_URL": self.queue.url}
        proxy = {"BEHIND_PROXY": "on" if NGINX else "off", "LOG_LEVEL": "WARNING"}
        self.sites = []
        for name in ("one", "two"):
            (directory / name).mkdir()
            own = directory / name
            self.sites.append(Site(own, chat_backend="", **proxy | told | environment))
        self.fronts = [site.url for site in self.sites]

    async def kill_web(self, number: int) -> None:
        site = self.sites[number]
        await asyncio.to_thread(site.kill_web)
        await asyncio.sleep(RESTART)
        await asyncio.to_thread(site.start_web)
        await asyncio.to_thread(site.wait_until_ready)

    async def kill_worker(self, number: int) -> None:
        await asyncio.to_thread(self.sites[number].kill_worker)
        await asyncio.sleep(RESTART)
        await asyncio.to_thread(self.sites[number].start_worker)

    async def kill_queue(self) -> None:
        await asyncio.to_thread(self.queue.kill)
        await asyncio.sleep(RESTART)
        await asyncio.to_thread(self.queue.start)

    def logs(self) -> str:
        """The last lines of all processes."""
        tails = []
        for site in self.sites:
            for name in ("web", "worker"):
                lines = site.log(name).splitlines()[-15:]
                tails.append("\n".join([f"-- {site.directory.name}/{name}.log", *lines]))
        return "\n".join(tails)

    def _wait_for_workers(self) -> None:
        """Until both have said that they are there."""
        with self.queue.client() as client:
            deadline = time.monotonic() + 60
            while client.scard("rq:workers") < len(self.sites):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"The workers did not start.\n{self.logs()}")
                time.sleep(0.05)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.queue)
            for site in self.sites:
                stack.callback(site.__exit__, None, None, None)
                site.start_web()
                site.start_worker()
            for site in self.sites:
                site.wait_until_ready()
            self._wait_for_workers()
            if NGINX:
                port = stack.enter_context(nginx(self._directory, [one.port for one in self.sites]))
                self.fronts = [f"http://127.0.0.1:{port}"]
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, at)


@asynccontextmanager
async def deployed(directory: Path, **environment: str) -> AsyncIterator[tuple[Fleet, Provider]]:
    """The fleet and its model's server, which runs here."""
    provider = Provider()
    async with serving(provider) as model:
        fleet = Fleet(directory, model.url, **environment)
        await asyncio.to_thread(fleet.__enter__)
        try:
            yield fleet, provider
        finally:
            await asyncio.to_thread(fleet.__exit__, None, None, None)
            await sync_to_async(connections.close_all)()
