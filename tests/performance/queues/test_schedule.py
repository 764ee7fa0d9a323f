"""Periodic tasks: when they run, that two workers run them once, that missed runs are made up once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.tasks.signals import task_enqueued

from performance.queues import Schedule, conf, connection, inspection, levers
from performance.queues.backend import RQBackend
from performance.queues.levels import Level
from performance.queues.schedule import Schedules, declared, next_run
from tests.performance.queues.conftest import Workers, eventually, history
from tests.performance.queues.jobs import tasks

NAME = "tests.performance.queues.jobs.tasks.tick"
NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(every=90), datetime(2026, 3, 28, 12, 1, 30, tzinfo=UTC)),
        (Schedule(cron="0 3 * * *"), datetime(2026, 3, 29, 3, 0, tzinfo=UTC)),
        # The night in which Berlin puts its clocks forward.
        (
            Schedule(cron="0 4 * * *", time_zone="Europe/Berlin"),
            datetime(2026, 3, 29, 2, 0, tzinfo=UTC),
        ),
    ],
)
def test_next_run(schedule: Schedule, expected: datetime) -> None:
    assert next_run(schedule, NOON) == expected


@pytest.mark.parametrize(
    ("cron", "hours"),
    [
        ("30 2 * * *", [0.5, 25.5]),
        ("30 1,2 * * *", [-0.5, 0.5, 24.5]),
        ("30 * * * *", [-0.5, 0.5, 1.5, 2.5]),
        ("@hourly", [0, 1, 2, 3]),
    ],
)
def test_an_hour_that_comes_twice(cron: str, hours: list[float]) -> None:
    # Berlin puts its clocks back at 1:00 UTC: 2:00 to 3:00 comes twice.
    midnight = datetime(2026, 10, 25, tzinfo=UTC)
    moment = midnight - timedelta(hours=0.75)
    for expected in hours:
        moment = next_run(Schedule(cron=cron, time_zone="Europe/Berlin"), moment)
        assert (moment - midnight) / timedelta(hours=1) == expected


def test_an_hour_that_never_comes_is_made_up_for() -> None:
    # Berlin puts its clocks forward at 1:00 UTC: there is no 2:30.
    schedule = Schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    first = next_run(schedule, datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert first == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_run(schedule, first) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_one_broken_schedule_holds_up_no_other(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Schedule(every=1)
    object.__setattr__(broken, "every", None)
    both = [(tasks.add, broken), (tasks.tick, Schedule(every=60))]
    monkeypatch.setattr("performance.queues.schedule.scheduled_tasks", lambda: both)
    look(NOON)
    assert server.hkeys("rq:own:schedules") == [NAME.encode()]


def test_a_full_level_keeps_no_periodic_task_out(server: Any) -> None:
    look(NOON)
    server.rpush("rq:queue:normal", "waiting")
    full = conf.QueueOptions(max_length={Level.NORMAL: 1})
    with time_machine.travel(NOON.replace(hour=13), tick=False):
        Schedules(connection.client(), full)()
    assert waiting(server) == 2


def waiting(server: Any) -> int:
    found: int = server.llen("rq:queue:normal")
    return found


def look(moment: datetime) -> None:
    """What one worker does at `moment`, knowing nothing from before."""
    with time_machine.travel(moment, tick=False):
        Schedules(connection.client(), conf.QueueOptions())()


def test_a_new_schedule_waits_for_its_first_time(server: Any) -> None:
    look(NOON)
    assert waiting(server) == 0
    look(NOON.replace(hour=13))
    assert waiting(server) == 1


def test_two_workers_run_it_once(server: Any) -> None:
    look(NOON)
    look(NOON.replace(hour=13))
    look(NOON.replace(hour=13))
    assert waiting(server) == 1


def test_a_run_that_still_waits_is_enough(server: Any) -> None:
    for hour in range(12, 17):
        look(NOON.replace(hour=hour))
    assert waiting(server) == 1


def test_receivers_hear_of_each_run_once(server: Any) -> None:
    heard: list[Any] = []

    def hear(sender: Any, task_result: Any, **_kwargs: Any) -> None:
        heard.append((sender, task_result.task.module_path, task_result.id, task_result.status))

    task_enqueued.connect(hear)
    try:
        for hour in range(12, 16):  # the first run still waits while the others would be due
            look(NOON.replace(hour=hour))
    finally:
        task_enqueued.disconnect(hear)
    (job_id,) = server.lrange("rq:queue:normal", 0, -1)
    assert heard == [(RQBackend, NAME, job_id.decode(), "READY")]


def test_missed_runs_are_made_up_once(server: Any) -> None:
    look(NOON)
    look(NOON.replace(hour=18))
    assert waiting(server) == 1
    server.delete("rq:queue:normal")
    look(NOON.replace(hour=18))
    assert waiting(server) == 0


def test_a_paused_schedule_does_not_run(server: Any) -> None:
    look(NOON)
    levers.pause_schedule(NAME)
    look(NOON.replace(hour=13))
    assert waiting(server) == 0
    state = next(state for state in inspection.schedules() if state.task == NAME)
    assert state.paused
    assert state.declared == "every 3600 s"
    levers.resume_schedule(NAME)
    look(NOON.replace(hour=14))
    assert waiting(server) == 1


def test_a_changed_schedule_starts_anew(server: Any) -> None:
    server.hset("rq:own:schedules", NAME, "1.000 every 60 s")
    look(NOON)
    assert waiting(server) == 0
    assert declared(Schedule(every=3600)) in str(server.hget("rq:own:schedules", NAME))


def test_running_workers_start_it(
    server: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_second = [(tasks.tick, Schedule(every=1))]
    monkeypatch.setattr("performance.queues.schedule.scheduled_tasks", lambda: every_second)
    workers.start(tick=1)
    eventually(lambda: server.smembers("rq:workers"))
    server.delete("history")
    workers.begin()
    eventually(lambda: len(history(server)) >= 3)
    seconds = [int(float(entry.split()[1])) for entry in history(server)]
    assert len(seconds) == len(set(seconds))


def test_tasks_module_is_found() -> None:
    assert tasks.tick.module_path == NAME
