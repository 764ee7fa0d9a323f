from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.tasks import TaskResultStatus

from tests.performance.queues.jobs import tasks


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_some_levels_leaves_the_others_alone(server: Any) -> None:
    high = tasks.add.using(queue_name="high").enqueue(1, 2)
    low = tasks.add.using(queue_name="low").enqueue(3, 4)
    call_command("worker", "--levels", "HIGH", "normal", "--burst")
    high.refresh()
    low.refresh()
    assert high.return_value == 3
    assert low.status == TaskResultStatus.READY
    with pytest.raises(CommandError, match="invalid choice: 'hihg'"):
        call_command("worker", "--levels", "hihg", "--burst")
