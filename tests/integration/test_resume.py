"""The short form of `python -m tests.verification.resume`: every fault once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.verification.resume.fleet import deployed
from tests.verification.resume.plan import ACTS, Plan, faults
from tests.verification.resume.rounds import Round, play

HURRIED = "tests.verification.resume.hurried"


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow  # two web processes and two workers start, and die
def test_every_device_shows_the_same_text_whatever_dies(tmp_path: Path, cache_redis: Any) -> None:
    failed = [str(run) for one in asyncio.run(_rounds(tmp_path)) for run in one.failed]
    assert not failed, "\n".join(failed)


async def _rounds(directory: Path) -> list[Round]:
    alone = [Plan.of(seed, (what,)) for seed, what in enumerate(ACTS)]
    mixed = [Plan.of(100 + seed) for seed in range(4)]
    killed = faults(0, 1, only=("web", "worker", "queue"))
    async with deployed(directory, DJANGO_SETTINGS_MODULE=HURRIED) as (fleet, provider):
        return [
            await play(fleet, provider, alone, []),
            await play(fleet, provider, mixed, killed),
        ]
