from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from chatsite.up import supervisor as module
from chatsite.up.children import Spec
from chatsite.up.problems import Problem
from chatsite.up.progress import Progress
from chatsite.up.signals import Interrupted, Signals
from chatsite.up.supervisor import Supervisor
from tests.processes import wait_for

ROOT = Path(__file__).parents[3]
SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def spec(name: str, program: str, grace: float = 5) -> Spec:
    return Spec(name, (sys.executable, "-c", program), grace)


@pytest.fixture
def out() -> StringIO:
    return StringIO()


@pytest.fixture
def signals() -> Signals:
    return Signals()


@pytest.fixture
def supervise(out: StringIO, signals: Signals) -> Iterator[Callable[..., Supervisor]]:
    made = []

    def make(*specs: Spec, upkeep: Callable[[], None] = lambda: None) -> Supervisor:
        made.append(Supervisor(specs, Progress(out), signals, upkeep))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def pids(of: Supervisor) -> list[int]:
    return [place.child.process.pid for place in of._places if place.child.process]


def lines(out: StringIO, text: str) -> Callable[[], bool]:
    return lambda: text in out.getvalue()


def test_lines_come_with_the_childs_name(
    supervise: Callable[..., Supervisor], out: StringIO
) -> None:
    supervise(spec("web", SLEEP), spec("worker", SLEEP)).watch(
        until=lambda: out.getvalue().count("up") == 2
    )
    assert sorted(out.getvalue().splitlines()) == ["   web | up", "worker | up"]


def test_a_json_line_stays_one(supervise: Callable[..., Supervisor], out: StringIO) -> None:
    supervise(spec("web", "print('{\"event\": 1}'); " + SLEEP)).watch(until=lines(out, "up"))
    assert out.getvalue().splitlines()[0] == '{"event": 1}'


def test_a_dead_child_is_started_again_in_one_line(
    supervise: Callable[..., Supervisor], out: StringIO
) -> None:
    running = supervise(spec("web", SLEEP))
    running.watch(until=lines(out, "up"))
    [first] = pids(running)
    os.kill(first, signal.SIGKILL)
    running.watch(until=lambda: out.getvalue().count("up\n") == 2)
    assert "web was ended by SIGKILL; starting it again." in out.getvalue()
    assert pids(running) != [first]


def test_five_quick_deaths_stop_with_the_last_lines(
    supervise: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY", 0.01)
    dying = supervise(spec("worker", "raise SystemExit('the queue is gone')"))
    with pytest.raises(Problem, match="status 1, 5 times in a row") as raised:
        dying.watch(until=lambda: False)
    assert "the queue is gone" in str(raised.value)


def test_a_death_after_a_healthy_life_does_not_count(
    supervise: Callable[..., Supervisor], out: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEALTHY_AFTER", 0.0)
    supervise(spec("worker", "pass")).watch(
        until=lambda: out.getvalue().count("starting it again") == 6
    )


def test_a_request_to_stop_ends_the_watch(
    supervise: Callable[..., Supervisor], out: StringIO, signals: Signals
) -> None:
    running = supervise(spec("web", SLEEP))
    running.watch(until=lines(out, "up"))
    signals.requests = 1
    with pytest.raises(Interrupted):
        running.watch(until=lambda: False)
    running.watch_until_asked_to_stop()


def test_stop_kills_what_outlives_its_grace(
    supervise: Callable[..., Supervisor], out: StringIO, signals: Signals
) -> None:
    running = supervise(spec("web", STUBBORN, grace=0.3))
    running.watch(until=lines(out, "up"))
    [pid] = pids(running)
    began = time.monotonic()
    running.stop()
    assert 0.3 <= time.monotonic() - began < 3
    assert not Path(f"/proc/{pid}").exists()


def test_a_second_request_shortens_the_grace(
    supervise: Callable[..., Supervisor],
    out: StringIO,
    signals: Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "INSISTED", 0.1)
    running = supervise(spec("web", STUBBORN, grace=60))
    running.watch(until=lines(out, "up"))
    signals.requests = 2
    began = time.monotonic()
    running.stop()
    assert time.monotonic() - began < 3


def test_grandchildren_go_with_a_child_that_died(
    supervise: Callable[..., Supervisor], out: StringIO
) -> None:
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.DEVNULL)\n"
        "print('grandchild', child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    running = supervise(spec("web", program))
    running.watch(until=lines(out, "grandchild"))
    grandchild = int(out.getvalue().split()[-1])
    running.stop()
    # It may stay as a zombie where process 1 does not reap.
    assert wait_for(lambda: not _command(grandchild), 5)


def test_upkeep_is_done_now_and_then(
    supervise: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UPKEEP", 0.0)
    done: list[bool] = []
    supervise(spec("web", SLEEP), upkeep=lambda: done.append(True)).watch(until=lambda: bool(done))


def test_children_die_with_their_parent(tmp_path: Path) -> None:
    program = f"""
import time
import django
django.setup()
from chatsite.up.children import Child, Spec
child = Child(Spec("web", ({sys.executable!r}, "-c", {SLEEP!r}), 5))
child.start()
print(child.process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert _command(child)
        parent.kill()
    assert wait_for(lambda: not _command(child), 5)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
