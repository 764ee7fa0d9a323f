from __future__ import annotations

import signal

import pytest

from chatsite.up import signals as module
from chatsite.up.signals import Interrupted, Signals


def test_a_signal_leaves_a_step_by_an_exception() -> None:
    with Signals() as signals, pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGTERM)
    assert signals.requests == 1


def test_while_children_are_watched_it_is_only_counted() -> None:
    with Signals() as signals:
        signals.interrupting = False
        signal.raise_signal(signal.SIGINT)
        assert signals.requests == 1


def test_what_make_passes_on_is_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with Signals() as signals:
        signals.interrupting = False
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert signals.requests == 1
        monkeypatch.setattr(module, "SAME_REQUEST", 0.0)
        signal.raise_signal(signal.SIGTERM)
        assert signals.requests == 2


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
