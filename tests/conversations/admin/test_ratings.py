from __future__ import annotations

import pytest
from django.test import Client

from conversations.models import DailyUsage, Entry
from tests.factories import RatingFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/conversations/rating/"


@pytest.fixture
def client() -> Client:
    made = Client(SERVER_NAME="localhost")
    made.force_login(UserFactory(is_staff=True, is_superuser=True))
    return made


def test_sums_are_those_of_the_filtered_list(client: Client) -> None:
    for verdict, model in (("up", "a"), ("up", "a"), ("down", "a"), ("down", "b")):
        RatingFactory(verdict=verdict, model=model)
    (first, second) = client.get(LIST).context_data["groups"]
    assert (first["model"], first["up"], first["down"], first["share"]) == ("a", 2, 1, 67)
    assert (second["model"], second["up"], second["down"]) == ("b", 0, 1)
    (only,) = client.get(LIST, {"verdict__exact": "up"}).context_data["groups"]
    assert (only["up"], only["down"]) == (2, 0)


def test_staff_see_no_text_that_was_not_sent(client: Client) -> None:
    rating = RatingFactory(comment="My words")
    rating.message.text = "canary"
    rating.message.save()
    page = client.get(f"{LIST}{rating.pk}/change/").content.decode()
    assert "My words" in page
    assert "canary" not in page
    assert str(rating.message.conversation_id) not in page


def test_the_file_has_no_formulas(client: Client) -> None:
    RatingFactory(comment="=1+1")
    text = b"".join(client.get(f"{LIST}export/").streaming_content).decode()
    assert "'=1+1" in text
    assert text.startswith("created_at,verdict,reason,comment")


def test_words_can_be_asked_for(client: Client) -> None:
    RatingFactory(comment="Words")
    RatingFactory()
    assert client.get(LIST, {"words": "1"}).context_data["cl"].result_count == 1
    assert client.get(LIST, {"words": "0"}).context_data["cl"].result_count == 1


def test_usage_is_summed_by_currency(client: Client) -> None:
    user = UserFactory()
    for currency in ("EUR", "USD", "USD"):
        DailyUsage.add(user.pk, "b", "m", currency, Entry(messages=1, input_tokens=3))
    totals = client.get("/admin/conversations/dailyusage/").context_data["totals"]
    assert [(row["currency"], row["total_messages"]) for row in totals] == [("EUR", 1), ("USD", 2)]


def test_a_list_tells_no_text_letter_by_letter(client: Client) -> None:
    RatingFactory()
    for lookup in ("message__text__startswith", "message__conversation__title__startswith"):
        assert client.get(LIST, {lookup: "c"}).status_code == 400
