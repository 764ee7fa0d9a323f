from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import redis
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from conversations import answering, attempts, deleting, exchanges, quotas, sending
from conversations.ai.base import ChatBackend
from conversations.attachments import Refused
from conversations.models import (
    Conversation,
    DailyUsage,
    Entry,
    Permission,
    Quota,
    Reply,
    Status,
    ToolRun,
)
from conversations.quotas import Exceeded, ledger, sums
from conversations.tasks import ATTEMPTS, sweep_replies
from tests.conversations.test_replies import scripted, write  # noqa: F401 - a fixture
from tests.factories import ConversationFactory, ReplyFactory, UserFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("scripted", "queue_redis", "cache_redis", "fresh"),
]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No memory of a server that was away."""
    monkeypatch.setattr(ledger, "_away_until", 0.0)
    ledger._scripts.cache_clear()
    yield
    ledger._scripts.cache_clear()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's server does not answer."""
    nobody = redis.Redis(port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0))
    scripts = [nobody.register_script("return 1")] * 2
    monkeypatch.setattr(ledger, "_scripts", cache(lambda: scripts))


def quota(most: Any, measure: str = "messages", period: str = "hour") -> None:
    Quota.objects.create(measure=measure, period=period, most=most)


def ask(user: Any, text: str = "say Hello") -> Reply:
    conversation = sending.start(user, text, uuid.uuid4())
    return Reply.objects.get(message__conversation=conversation)


def used(user: Any) -> list[int]:
    return [standing.used for standing in quotas.standing(user.pk)]


def test_a_quota_refuses_before_anything_is_stored() -> None:
    user = UserFactory()
    quota(2)
    ask(user)
    ask(user)
    with pytest.raises(Exceeded) as refused:
        ask(user)
    assert Conversation.objects.count() == 2
    assert (refused.value.standing.used, refused.value.standing.limit.most) == (2, 2)
    assert 0 < refused.value.seconds <= 3600


def race(sends: int) -> None:
    user = UserFactory()
    quota(10)

    def attempt(_number: int) -> bool:
        try:
            ask(user)
        except Exceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(attempt, range(sends))) == 10
    assert Reply.objects.count() == 10


def test_of_a_hundred_at_once_ten_get_through() -> None:
    race(100)


@pytest.mark.usefixtures("away")
def test_so_do_thirty_without_redis() -> None:
    race(30)


def count_trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sent: list[Any] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        text = b"".join(command) if isinstance(command, list) else bytes(command)
        if b"quota:" in text:
            sent.append(text)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counted)
    return sent


def test_a_message_takes_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory()
    trips = count_trips(monkeypatch)
    ask(user)
    assert not trips  # without a quota there is nothing to ask
    for measure, period in (("messages", "hour"), ("tokens", "day"), ("cost", "month")):
        quota(100_000, measure, period)
    write(ask(user))  # the server learns the scripts, and the sums
    trips.clear()

    reply = ask(user)
    assert len(trips) == 1
    write(reply)
    assert len(trips) == 2  # one more settles it
    with pytest.raises(Exceeded):
        quotas.reserve(
            quotas.Request(
                user.pk, uuid.uuid4(), 1, "x" * 4_000_000, Metered("default", {"prices": [1, 1]})
            )
        )
    assert len(trips) == 3


class Metered(ChatBackend):
    model = "metered"


def test_the_same_reply_is_reserved_once() -> None:
    user = UserFactory()
    quota(2)
    reply = ask(user)
    for _ in range(5):
        exchanges.reserve(reply, reply.message.conversation)
    assert used(user) == [1]


def test_real_usage_takes_the_place_of_what_was_reserved() -> None:
    user = UserFactory()
    quota(10)
    quota(1000, "tokens", "day")
    reply = ask(user)
    write(reply)
    assert used(user) == [1, 8]  # as the scripted backend reports


def test_a_failed_answer_gives_its_place_back() -> None:
    user = UserFactory()
    quota(1)
    write(ask(user, "fail unreachable"))
    assert used(user) == [0]
    ask(user)


def test_an_answer_stopped_while_it_waits_gives_its_place_back() -> None:
    user = UserFactory()
    quota(1)
    reply = ask(user)
    answering.stop(reply)
    assert used(user) == [0]


def test_asking_anew_and_going_on_are_asked_for_as_well() -> None:
    user = UserFactory()
    quota(1)
    reply = ask(user, "say Half\nfail interrupted")
    failed = write(reply)
    ask(user)
    with pytest.raises(Exceeded):
        answering.go_on(failed)
    with pytest.raises(Exceeded):
        answering.again(failed)
    failed.refresh_from_db()
    assert failed.status == Status.FAILED


def test_a_dead_worker_leaks_nothing() -> None:
    user = UserFactory()
    quota(1)
    reply = ask(user)
    assert attempts.begin(reply.pk, 1)  # and no more is heard of it
    Reply.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
    sweep_replies.call()
    assert used(user) == [1]  # it is still to come
    write(reply, 2)
    assert used(user) == [1]
    assert not any(field.startswith(b"r:") for field in hash_of(user))


def test_a_message_that_is_not_taken_reserves_nothing() -> None:
    user = UserFactory()
    quota(1)
    with pytest.raises(Refused):
        sending.start(user, "Look at this", uuid.uuid4(), [uuid.uuid4()])
    assert used(user) == [0]
    ask(user)


def test_a_question_that_is_deleted_before_its_answer_gives_its_place_back() -> None:
    user = UserFactory()
    quota(1, period="day")
    deleting.delete(ask(user).message.conversation)
    assert used(user) == [0]


@pytest.mark.parametrize("leave", [True, False], ids=["leaving worker", "ended"])
def test_deleting_a_conversation_takes_nothing_back_of_what_was_used(leave: bool) -> None:
    user = UserFactory()
    quota(1000, "tokens", "day")
    reply = ask(user)
    attempt = attempts.begin(reply.pk, 1)
    assert attempt is not None
    attempt.text, attempt.input_tokens, attempt.output_tokens = "All that I wanted", 40, 60
    deleting.delete(reply.message.conversation)
    if leave:
        attempts.hand_back(attempt)
    else:
        assert not attempts.end(attempt, Status.STOPPED)
    row = DailyUsage.objects.get(user=user)
    assert (row.messages, row.tokens) == (0 if leave else 1, 100)
    assert used(user) == [100]
    assert not any(field.startswith(b"r:") for field in hash_of(user))


def test_an_account_that_is_gone_is_no_obstacle_to_the_end() -> None:
    user = UserFactory()
    reply = ask(user)
    attempt = attempts.begin(reply.pk, 1)
    assert attempt is not None
    attempt.output_tokens = 60
    user.delete()
    assert not attempts.end(attempt, Status.STOPPED)
    assert not DailyUsage.objects.exists()


def test_an_answer_that_is_given_up_gives_its_place_back() -> None:
    user = UserFactory()
    quota(1)
    reply = ask(user)
    Reply.objects.filter(pk=reply.pk).update(
        attempt=ATTEMPTS, status=Status.RUNNING, beat_at=timezone.now() - timedelta(minutes=1)
    )
    sweep_replies.call()
    assert used(user) == [0]


def asking(user: Any) -> ToolRun:
    """A call that waits for its user's permission, of an answer that counts as a message."""
    reply = write(ask(user, 'tool rename_conversation {"title": "A"}'))
    assert reply.status == Status.ASKING
    return reply.tool_runs.get()


def test_what_follows_a_permission_is_no_other_message() -> None:
    user = UserFactory()
    quota(1)
    run = asking(user)
    answering.decide(run, run.seal, allow=True)
    assert write(run.reply, 2).status == Status.COMPLETE
    assert used(user) == [1]


def test_a_permission_is_no_way_around_a_quota() -> None:
    user = UserFactory()
    quota(1000, "tokens", "month")
    run = asking(user)
    quotas.settle(user.pk, run.reply_id, Entry(output_tokens=2000))
    client = Client()
    client.force_login(user)
    page = f"{run.reply.message.conversation.get_absolute_url()}messages/{run.reply.message_id}"
    form = {"decision": "allow", "seal": run.seal}
    response = client.post(f"{page}/tools/{run.pk}/", form, headers={"HX-Request": "true"})
    assert response.status_code == 429
    run.refresh_from_db()
    assert (run.permission, run.reply.status) == (Permission.ASKED, Status.ASKING)
    assert not any(field.startswith(b"r:") for field in hash_of(user))


def hash_of(user: Any) -> dict[bytes, bytes]:
    from django.conf import settings

    with redis.Redis.from_url(settings.QUEUE_URL) as client:
        found: Any = client.hgetall(ledger.key_of(user.pk))
    return dict(found)


def test_a_reservation_that_nobody_settles_ends_by_itself(time_machine: Any) -> None:
    time_machine.move_to("2026-11-26T10:00:00Z")
    user = UserFactory()
    quota(1, period="day")
    conversation = ConversationFactory(user=user)
    reply = ReplyFactory(message__conversation=conversation, status=Status.RUNNING)
    exchanges.reserve(reply, conversation)
    reply.message.delete()
    assert used(user) == [1]
    time_machine.move_to("2026-11-26T11:00:01Z")
    assert used(user) == [0]


def test_the_next_hour_begins_anew(time_machine: Any) -> None:
    time_machine.move_to("2026-11-26T10:59:58Z")
    user = UserFactory()
    quota(1)
    quota(2, period="day")
    write(ask(user))
    with pytest.raises(Exceeded) as refused:
        ask(user)
    assert refused.value.seconds == 2
    time_machine.move_to("2026-11-26T11:00:00Z", tick=False)
    write(ask(user))
    with pytest.raises(Exceeded) as refused:
        ask(user)
    assert refused.value.standing.limit.period == "day"  # the one that holds longest


def test_what_redis_forgot_is_known_from_postgresql(queue_redis: Any) -> None:
    user = UserFactory()
    quota(3)
    quota(1000, "tokens", "month")
    DailyUsage.add(user.pk, "default", "m", "USD", Entry(messages=2, input_tokens=40))
    assert used(user) == [2, 40]
    queue_redis.flushdb()
    assert used(user) == [2, 40]
    ask(user)
    with pytest.raises(Exceeded):
        ask(user)


def test_an_answer_that_ends_while_the_sums_are_read_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = UserFactory()
    quota(1000, "tokens", "month")
    read, ends = sums.used, iter([40, 2])

    def overtaken(user_id: int, now: Any) -> list[int]:
        found = read(user_id, now)
        for tokens in ends:
            entry = Entry(messages=1, output_tokens=tokens)
            DailyUsage.add(user_id, "default", "m", "USD", entry)
            quotas.settle(user_id, 1, entry)
            break
        return found

    monkeypatch.setattr(sums, "used", overtaken)
    assert used(user) == [42]
    assert used(user) == [42]


@pytest.mark.usefixtures("away")
def test_without_redis_postgresql_counts() -> None:
    user = UserFactory()
    quota(3)
    DailyUsage.add(user.pk, "default", "m", "USD", Entry(messages=1))
    ask(user)
    write(ask(user))  # its end is in the sums, whatever Redis says
    with pytest.raises(Exceeded) as refused:
        ask(user)
    assert refused.value.standing.used == 3
    close_old_connections()


@pytest.mark.usefixtures("away")
def test_a_server_that_is_away_is_not_asked_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory()
    quota(30)
    ask(user)
    monkeypatch.setattr(ledger, "_scripts", cache(lambda: pytest.fail("asked again")))
    ask(user)


def test_a_model_is_expected_to_take_what_it_took_before() -> None:
    user = UserFactory()
    quota(1000, "tokens", "hour")
    conversation = ConversationFactory(user=user)
    ReplyFactory(
        message__conversation=conversation,
        status=Status.COMPLETE,
        input_tokens=700,
        output_tokens=200,
    )
    request = quotas.Request(user.pk, conversation.pk, 1, "Go on", Metered("default", {}))
    with pytest.raises(Exceeded) as refused:
        quotas.reserve(request)
    assert refused.value.is_too_large
    assert refused.value.want == 700 + 200 + 200 + 2
