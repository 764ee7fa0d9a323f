"""What an attacker with access to Redis may try, and RQ's own worker beside ours."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rq import Queue
from rq.job import Callback, Job
from rq.serializers import JSONSerializer, PickleSerializer

from performance.queues import Level, UnknownTask, cancel, levers
from performance.queues.registry import resolve
from tests.performance.queues.conftest import Workers, eventually, history, run_waiting_tasks
from tests.performance.queues.jobs import tasks


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path(self.path).touch, ()


def run_stock_worker() -> None:
    """RQ's own worker, in this process: another would take seconds to start and change nothing."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        call_command("rqworker", burst=True, worker_class="rq.SimpleWorker")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def enqueue_foreign_functions(server: Any, target: Path) -> list[Job]:
    """Jobs that name functions which are no tasks."""
    queue = Queue("normal", connection=server, serializer=JSONSerializer)
    return [
        queue.enqueue("os.system", f"touch {target}"),
        queue.enqueue("tests.performance.queues.jobs.tasks.note", "unregistered function"),
        queue.enqueue("performance.queues.cancelling.cancel", "x"),
        queue.enqueue("no.such.module", "x"),
    ]


def enqueue_pickles(server: Any, target: Path) -> Job:
    """A pickled job, and a good one whose `meta` is a pickle."""
    bomb = Bomb(str(target))
    server.hset(f"rq:job:{tasks.add.enqueue(1, 2).id}", "meta", pickle.dumps(bomb))
    queue = Queue("normal", connection=server, serializer=PickleSerializer)
    return queue.enqueue("tests.performance.queues.jobs.tasks.keep", bomb)


def assert_refused(server: Any, jobs: list[Job], target: Path) -> None:
    assert not target.exists()
    assert history(server) == []
    assert {server.hget(job.key, "status") for job in jobs} == {b"failed"}


def test_a_job_that_names_something_else_is_refused(server: Any, tmp_path: Path) -> None:
    jobs = enqueue_foreign_functions(server, tmp_path / "touched")
    run_waiting_tasks()
    assert_refused(server, jobs, tmp_path / "touched")


def test_nothing_is_unpickled(server: Any, tmp_path: Path) -> None:
    job = enqueue_pickles(server, tmp_path / "touched")
    run_waiting_tasks()
    assert_refused(server, [job], tmp_path / "touched")


def test_a_stock_worker_refuses_the_same(server: Any, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    jobs = [*enqueue_foreign_functions(server, target), enqueue_pickles(server, target)]
    run_stock_worker()
    assert_refused(server, jobs, target)


@pytest.mark.parametrize("path", ["os.system", "", "x", "django", "performance.queues.nothing.x"])
def test_resolve_refuses(path: str) -> None:
    with pytest.raises(UnknownTask):
        resolve(path)


def test_a_stock_worker_drains_the_same_queue(server: Any) -> None:
    add, later = tasks.add.enqueue(1, 2), tasks.add_later.enqueue(3, 4)
    failing, context = tasks.fail.enqueue("as declared"), tasks.attempt.enqueue()
    # A callback is a path out of Redis: nobody calls it.
    queue = Queue("normal", connection=server, serializer=JSONSerializer)
    name = "tests.performance.queues.jobs.tasks.add"
    called = queue.enqueue(name, 1, 2, on_success=Callback("builtins.breakpoint"))
    run_stock_worker()
    for result in (add, later, failing, context):
        result.refresh()
    assert (add.return_value, later.return_value) == (3, 7)
    assert context.return_value[0] == 1
    assert failing.errors[0].exception_class is ValueError
    assert "as declared" in failing.errors[0].traceback
    assert server.hget(called.key, "status") == b"finished"


def test_a_stock_worker_retries_as_often_as_declared(server: Any) -> None:
    result = tasks.fail_always.enqueue()
    for _ in range(2):
        run_stock_worker()
        if server.zrem("rq:scheduled:normal", result.id):
            server.rpush("rq:queue:normal", result.id)
    assert history(server) == ["failing"] * 2
    assert server.hget(f"rq:job:{result.id}", "status") == b"failed"


@pytest.mark.slow  # a forking worker takes 30 ms a job
def test_a_stock_worker_and_ours_side_by_side(server: Any, workers: Workers) -> None:
    names = [str(n) for n in range(100)]
    workers.start("critical", "normal", command="rqworker")
    eventually(lambda: server.smembers("rq:workers"))
    for name in names:
        tasks.effect_later.enqueue(name, 0.03)
    workers.begin(concurrency=2)
    eventually(lambda: server.zcard("rq:finished:normal") == len(names), within=60)
    assert sorted(history(server)) == sorted(names)
    by_worker = {
        fields[b"worker_name"]
        for key in server.scan_iter("rq:results:*")
        for _, fields in server.xrange(key)
    }
    assert len(by_worker) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--serializer", "rq.serializers.PickleSerializer"], "nothing is unpickled"),
        (["--job-class", "rq.job.Job"], "it must be performance.queues.job.TaskJob"),
        (["nosuch"], "No level is called nosuch"),
    ],
)
def test_rqworker_refuses_what_is_not_safe(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("rqworker", *arguments)


def test_rq_info_shows_our_queues_and_workers(
    server: Any, workers: Workers, settings: Any, set_options: Any
) -> None:
    """RQ's own monitor, as a command, over jobs in every state."""
    name = workers.begin().name
    results = [tasks.sleep.enqueue(60), tasks.fail.enqueue("no"), tasks.add.enqueue(1, 2)]
    eventually(lambda: server.zcard("rq:failed:normal") and server.zcard("rq:finished:normal"))
    # Its next beat tells that it is busy.
    eventually(lambda: server.hget(f"rq:worker:{name}", "state") == b"busy")
    levers.pause(Level.LOW)
    tasks.effect.using(priority=-100).enqueue("waits")
    command = [Path(sys.executable).parent / "rq", "info", "--raw"]
    url = settings.RQ_QUEUES["normal"]["URL"]
    shown = subprocess.run([*command, "--url", url], capture_output=True, text=True, check=True)
    lines = shown.stdout.splitlines()

    assert "queue low 1, 0 executing, 0 finished, 0 failed" in lines
    assert "queue normal 0, 1 executing, 1 finished, 1 failed" in lines
    (worker,) = [line for line in lines if line.startswith("worker")]
    assert name in worker
    assert "busy" in worker
    assert cancel(results[0].id) == "stopping"
