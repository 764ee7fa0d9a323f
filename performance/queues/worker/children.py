"""Tasks in child processes: CPU-heavy ones that declare it, and those that took a worker down before."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import msgspec

from performance.queues import isolated
from performance.queues.exceptions import QueueError
from performance.queues.submission import CARRIED
from performance.queues.worker.run import Run


class ChildDied(QueueError):
    """The child process ended without an answer."""


class ChildRaised(Exception):
    """The task raised in the child; `path` names the class, `text` is the traceback there."""

    def __init__(self, path: str, text: str, retry_after: float | None) -> None:
        super().__init__(path)
        self.path = path
        self.text = text
        self.retry_after = retry_after


class Children:
    """At most `size` child processes, forked from a server that has Django loaded, no threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.busy = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([isolated.__name__])
        self.pool = ThreadPoolExecutor(max_workers=size, thread_name_prefix="child")
        self._lock = threading.Lock()
        self._processes: dict[str, BaseProcess] = {}

    def run(self, run: Run) -> Any:
        """Runs the task in a child and answers its value; blocks, so call it in `pool`.

        Raises ChildRaised with the task's error, ChildDied when the process died.
        """
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=isolated.main, args=(theirs, self._call(run)), daemon=True
        )
        # The first start loads Django in the fork server, for seconds: not under the lock.
        process.start()
        run.begin()
        theirs.close()
        with self._lock:
            self._processes[run.execution] = process
        if run.stop_reason is not None:
            process.kill()
        try:
            return _answer(ours)
        finally:
            with self._lock:
                self._processes.pop(run.execution, None)
            process.join(timeout=2)
            ours.close()

    def kill(self, run: Run) -> bool:
        """Kills the run's process; False when it has none."""
        with self._lock:
            process = self._processes.get(run.execution)
            if process is None:
                return False
            process.kill()
            return True

    def close(self) -> None:
        """Kills what still runs."""
        with self._lock:
            for process in self._processes.values():
                process.kill()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _call(self, run: Run) -> bytes:
        result = run.result
        call = isolated.Call(
            id=run.id,
            data=run.data,
            attempt=run.attempt,
            worker=run.worker,
            carried={key: getattr(run.meta, key) for key in CARRIED},
            enqueued_at=run.enqueued_at,
            backend=result.backend if result else "default",
        )
        return msgspec.msgpack.encode(call)


def _answer(pipe: Connection) -> Any:
    try:
        raw = pipe.recv_bytes()
    except (EOFError, OSError):  # before its answer, or within it
        raise ChildDied("Its process died.") from None
    answer = msgspec.msgpack.decode(raw, type=isolated.Answer)
    if answer.error:
        raise ChildRaised(answer.error, answer.traceback, answer.retry_after)
    return msgspec.json.decode(answer.value)
