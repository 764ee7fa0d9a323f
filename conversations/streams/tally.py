"""What one event stream comes to: how it was answered, what went over it, why it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from performance import metrics

LEFT = "left"  # the browser went; else it was us
LIFETIME, RIGHTS, REDIS, CROWDED, SERVER = "lifetime", "rights", "redis", "crowded", "server"
VIEW = "conversations:events"


@dataclass(slots=True)
class Tally:
    """`status` is 0 until it is answered. Counting costs a frame two additions."""

    request_id: str = ""
    status: int = 0
    frames: int = 0
    size: int = 0  # bytes
    ended: str = LEFT
    began: float = field(default_factory=time.monotonic)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Those by which the answer is found again."""
        return [(b"x-request-id", self.request_id.encode())] if self.request_id else []

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def refuse(self, status: int) -> None:
        self.status = status
        metrics.count("streams_refused", status=status)
        self._remember(f"{status // 100}xx")

    def open(self) -> None:
        self.status = 200
        self._remember("opened")

    def end(self) -> None:
        metrics.observe("stream_seconds", self.seconds, ended=self.ended)
        metrics.observe("stream_bytes", self.size)
        self._remember(self.ended)

    def _remember(self, how: str) -> None:
        metrics.remember(self.request_id, (VIEW, "GET", how), self.seconds)
