"""RQ's worker that runs many jobs at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
import structlog
from rq.defaults import DEFAULT_LOGGING_DATE_FORMAT, DEFAULT_LOGGING_FORMAT
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.utils import as_text
from rq.worker import BaseWorker, DequeueStrategy

from performance.queues import conf as configuration
from performance.queues import connection as connections
from performance.queues import progress
from performance.queues.job import TaskJob
from performance.queues.levels import Level
from performance.queues.recorder import Recorder
from performance.queues.schedule import Schedules
from performance.queues.signals import worker_started
from performance.queues.worker.dispatcher import Dispatcher
from performance.queues.worker.display import Display
from performance.queues.worker.ends import Hooks
from performance.queues.worker.heart import Heart
from performance.queues.worker.maintenance import Maintenance
from performance.queues.worker.preflight import warn_of_eviction
from performance.queues.worker.reaper import Reaper
from performance.queues.worker.run import Run
from performance.queues.worker.telling import tell_parked

logger = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ConcurrentWorker(BaseWorker):
    """Coroutine tasks on one event loop, sync ones on threads, isolated ones in child processes.

    Jobs, registries, results and commands are RQ's: its tools and its other workers go on beside it.
    `conf` holds concurrency, lease, grace and limits; `queues` must be levels. Raises ValueError
    on a name with a colon.
    """

    death_penalty_class = TimerDeathPenalty
    job_class = TaskJob  # type: ignore[assignment]

    def __init__(
        self, queues: Any, *args: Any, conf: Any = None, show: bool = False, **kwargs: Any
    ) -> None:
        kwargs["serializer"] = JSONSerializer
        kwargs["job_class"] = TaskJob
        kwargs.setdefault("connection", connections.client())
        super().__init__(queues, *args, **kwargs)
        if ":" in self.name:
            raise ValueError("A worker's name takes no colon: RQ's registries split at it.")
        self.conf: configuration.QueueOptions = conf or configuration.of_default_backend()
        self.worker_ttl = int(self.conf.lease * 4)
        self.dispatcher: Dispatcher | None = None
        self.left_behind = False
        self._show = show
        self._recorder: Recorder | None = None
        self._asked_to_stop = 0

    def _set_connection(self, connection: redis.Redis) -> redis.Redis:
        # Nothing here blocks on a list, so the client keeps its own short timeouts.
        return connection

    def work(  # noqa: PLR0913 - RQ's signature
        self,
        burst: bool = False,
        logging_level: str | None = None,
        date_format: str = DEFAULT_LOGGING_DATE_FORMAT,
        log_format: str = DEFAULT_LOGGING_FORMAT,
        max_jobs: int | None = None,
        max_idle_time: int | None = None,
        with_scheduler: bool = False,
        dequeue_strategy: DequeueStrategy = DequeueStrategy.DEFAULT,
    ) -> bool:
        """Works until told to stop; True if it ran any job. Every worker moves scheduled jobs."""
        if max_jobs:
            self.conf = configuration.changed(self.conf, max_jobs=max_jobs)
        levels = [Level(queue.name) for queue in self.queues]
        hooks = Hooks(ended=self._note, follow_up=self._follow_up, parked=self._parked)
        self.dispatcher = Dispatcher(self.name, levels, self.conf, hooks, burst=burst)
        self.bootstrap(logging_level, date_format, log_format)
        warn_of_eviction(self.connection)
        heart = Heart(
            self.dispatcher,
            self.connection,
            self.conf,
            reregister=self._register_again,
            reap=Reaper(
                self.connection,
                self.conf.max_deliveries,
                ended=self._note,
                parked=self._parked,
            ),
            chores=self._chores(self.dispatcher),
        )
        self._recorder = Recorder(writes=self.conf.record_runs)
        self._recorder.start()
        worker_started.send_robust(type(self), worker=self.name)
        handlers = _handlers()
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._run(self.dispatcher, heart))
        finally:
            heart.stop()
            heart.join(timeout=2)
            self._recorder.stop()
            self.left_behind = self.dispatcher.left_behind
            self._leave()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return bool(self.dispatcher.ended)

    def _leave(self) -> None:
        """Tells Redis, where it answers, and ends the thread that listens to RQ's channel in any case."""
        listener: Any = self.pubsub_thread
        # First, since it waits for another minute where it hears of its channel's end before this.
        if listener is not None:
            listener.stop()
        with suppress(redis.RedisError):
            self.teardown()  # type: ignore[no-untyped-call]

    async def _run(self, dispatcher: Dispatcher, heart: Heart) -> None:
        loop = asyncio.get_running_loop()
        for number in _handlers():  # whose own are there again when the work has ended
            loop.add_signal_handler(number, self.ask_to_stop)
        dispatcher.attach(loop)
        heart.start()
        await dispatcher.run()

    def ask_to_stop(self) -> None:
        """First: no new jobs, finish what runs within the grace time. Again: hand back at once."""
        self._asked_to_stop += 1
        if self.dispatcher is None:
            return
        if self._asked_to_stop == 1:
            logger.info("worker_stopping", jobs=len(self.dispatcher.runs))
            self.dispatcher.stop()
        else:
            self.dispatcher.hand_back()

    def handle_payload(self, message: Any) -> None:
        """Commands from RQ's channel: stop one job, stop one execution, shut down."""
        if self.dispatcher is None:
            return
        payload = json.loads(as_text(message["data"]))
        command = payload.get("command")
        if command in {"stop-job", "stop-execution"}:
            self.dispatcher.cancel(str(payload.get("job_id")))
        elif command == "shutdown":
            os.kill(os.getpid(), signal.SIGINT)

    def unsubscribe(self) -> None:
        """RQ's, but its thread is told to end before the server's answer wakes it.

        The other way round it may look too early, wait for a minute, and be left behind.
        """
        thread: Any = self.pubsub_thread
        if thread is not None:
            thread.stop()
        super().unsubscribe()  # type: ignore[no-untyped-call]

    def get_heartbeat_ttl(self, job: Any, working_time: float = 0.0) -> int:
        """The lease, whatever the job's timeout."""
        return int(self.conf.lease)

    def _register_again(self) -> None:
        """After the server lost its data."""
        self.connection.delete(self.key)
        self.register_birth()  # type: ignore[no-untyped-call]

    def _chores(self, dispatcher: Dispatcher) -> list[Callable[[], None]]:
        """What the heart does at each tick beside its own."""
        chores: list[Callable[[], None]] = [
            progress.buffered(self.connection),
            Schedules(self.connection, self.conf),
            Maintenance(self.queues),
        ]
        if self._show:
            chores.append(Display(dispatcher, self.connection))
        return chores

    def _note(self, run: Run) -> None:
        """One run has ended and Redis knows it."""
        if self._recorder:
            self._recorder.add(run)

    def _parked(self, run: Run) -> None:
        logger.error("task_parked", task=run.name, task_id=run.id, queue=run.level)
        # Rare, and receivers may take their time: neither the loop nor the heart waits for them.
        threading.Thread(target=tell_parked, args=(type(self), run), name="parked").start()

    def _follow_up(self, run: Run) -> None:
        """What RQ does after a job: start its dependents."""
        asyncio.get_running_loop().run_in_executor(None, self._start_dependents, run.id)

    def _start_dependents(self, job_id: str) -> None:
        job = TaskJob.fetch(job_id, self.connection, JSONSerializer)
        queue = next(queue for queue in self.queues if queue.name == job.origin)
        queue.enqueue_dependents(job)


def _handlers() -> dict[signal.Signals, Any]:
    """What handles the signals that stop a worker; nothing in a thread, which gets none."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) or signal.SIG_DFL for number in _SIGNALS}


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
