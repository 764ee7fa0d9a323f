from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation
from performance.cache import conversation_cache
from tests.factories import ConversationFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _cold(db: None) -> None:
    conversation_cache.clear()


def titles(client: Client, **asked: str) -> list[str]:
    return [row.title for row in client.get("/", asked).context["page"].rows]


def filed(user: Any, title: str, **fields: Any) -> Conversation:
    made: Conversation = ConversationFactory.create(user=user, title=title, **fields)
    return made


@pytest.fixture
def shelf(alice: Any) -> None:
    filed(alice, "pinned", pinned=True, tags=["food"])
    filed(alice, "away", archived=True, tags=["food"])
    filed(alice, "plain")
    filed(alice, "tagged", tags=["food", "a b"])


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["pinned", "tagged", "plain"]),
        ({"show": "pinned"}, ["pinned"]),
        ({"show": "archived"}, ["away"]),
        ({"tag": "food"}, ["pinned", "tagged"]),
        ({"tag": "a b"}, ["tagged"]),
        ({"show": "archived", "tag": "food"}, ["away"]),
        ({"tag": "none"}, []),
    ],
)
def test_lists(client: Client, asked: dict[str, str], expected: list[str]) -> None:
    assert titles(client, **asked) == expected


@pytest.mark.usefixtures("shelf")
def test_the_sidebar_offers_own_tags_alone(client: Client, charlie: Client) -> None:
    page = client.get("/").content.decode()
    assert 'href="/?tag=a%20b"' in page
    assert "Pinned: " in page
    assert "a%20b" not in charlie.get("/").content.decode()


def test_an_empty_list_says_which(client: Client) -> None:
    assert "Nothing is tagged <bdi>#x</bdi>" in client.get("/", {"tag": "x"}).content.decode()
    assert "Nothing is archived" in client.get("/", {"show": "archived"}).content.decode()


@pytest.mark.parametrize(
    "asked", [{"show": "x"}, {"tag": "\0"}, {"tag": "x" * 31}, {"conversations": "1.x"}]
)
def test_lists_that_do_not_exist(client: Client, asked: dict[str, str]) -> None:
    assert client.get("/", asked).status_code == 404


@pytest.mark.parametrize("pinned", [3, 32])
def test_pages_go_on_behind_the_pinned_ones(client: Client, alice: Any, pinned: int) -> None:
    for number in range(40):
        filed(alice, str(number), pinned=number < pinned, tags=["t"])
    first = client.get("/", {"tag": "t"})
    rest = client.get("/", {"tag": "t", "conversations": first.context["page"].next}, headers=HTMX)
    seen = [row.title for page in (first, rest) for row in page.context["page"].rows]
    assert seen == [*map(str, range(pinned - 1, -1, -1)), *map(str, range(39, pinned - 1, -1))]
    assert "tag=t&amp;conversations=" in first.content.decode()


def test_any_list_takes_one_query_and_the_user_one(
    client: Client, alice: Any, django_assert_num_queries: Any
) -> None:
    rows = [Conversation(user=alice, title=str(n), tags=[f"t{n % 20}"]) for n in range(2000)]
    Conversation.objects.bulk_create(rows)
    with django_assert_num_queries(2):
        page = client.get("/", {"tag": "t1"}).context["page"]
    assert (len(page.rows), len(page.tags)) == (30, 20)


def test_filing(client: Client, conversation: Conversation) -> None:
    client.post(
        f"/c/{conversation.pk}/rename/",
        {"title": "Cheese", "pinned": "on", "tags": " Food,  soft   cheese , food,"},
    )
    conversation.refresh_from_db()
    assert conversation.tags == ["food", "soft cheese"]
    assert (conversation.pinned, conversation.archived) == (True, False)
    assert not conversation.title_is_chosen, "it was not renamed"
    page = client.get(f"/c/{conversation.pk}/rename/").content.decode()
    assert 'value="food, soft cheese"' in page
    assert 'name="pinned" type="checkbox" checked' in page
    assert 'name="archived" type="checkbox">' in page


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("x" * 31, "31 characters; 30 are allowed"),
        (",".join(map(str, range(11))), "11 tags; 10 are allowed"),
        ("a\0", "NUL"),
    ],
)
def test_bad_tags_are_named_and_kept(
    client: Client, conversation: Conversation, tags: str, words: str
) -> None:
    response = client.post(f"/c/{conversation.pk}/rename/", {"title": "Brie", "tags": tags})
    assert response.status_code == 422
    assert words in response.content.decode()
    conversation.refresh_from_db()
    assert (conversation.title, conversation.tags) == ("Cheese", [])
