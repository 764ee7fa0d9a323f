"""What each middleware adds to a page: the stack grown one by one over a view that says "ok".

python -m tests.benchmarks middleware [--requests 400] [--rounds 7]

CPU of this thread in Django's WSGI handler, a signed-in user's request; the stacks of a round are measured in
turn, and each figure is the median of the rounds. Some middleware work only once asked (the session, the
user): those cost what a page asks of them, which this view does not.
"""

from __future__ import annotations

import argparse
import json
import statistics

from tests.benchmarks.servers import test_database


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="middleware")
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with test_database():
        added, whole, bare = measure(options.requests, options.rounds)
    for name, cost in added.items():
        print(f"{name:62} {cost:7.1f} us")
    figures = {"bare_us": bare, "whole_us": whole, "added_us": added}
    print(
        json.dumps(
            {"name": "middleware", "figures": figures, "ratios": {"whole": round(whole / bare, 2)}}
        )
    )


def measure(requests: int, rounds: int) -> tuple[dict[str, float], float, float]:
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import Client
    from django.test.utils import override_settings

    from tests.benchmarks.pages import in_process, inside_cpu
    from tests.factories import UserFactory

    client = Client()
    client.force_login(UserFactory())
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies['sessionid'].value}"
    names = list(settings.MIDDLEWARE)
    calls = []
    with override_settings(ROOT_URLCONF="tests.benchmarks.empty_urls"):
        for length in range(len(names) + 1):
            with override_settings(MIDDLEWARE=names[:length]):
                calls.append(in_process(WSGIHandler(), "/", cookie))
        for call in calls:
            call()
        found: list[list[float]] = [[] for _ in calls]
        for _ in range(rounds):
            for call, costs in zip(calls, found, strict=True):
                costs.append(inside_cpu(call, requests))
    medians = [statistics.median(costs) for costs in found]
    added = {
        name: round(after - before, 1)
        for name, before, after in zip(names, medians, medians[1:], strict=False)
    }
    return added, round(medians[-1], 1), round(medians[0], 1)
