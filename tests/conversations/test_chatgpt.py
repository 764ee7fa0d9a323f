"""ChatGPT's export, in the shapes that are known of it, as conversations."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.base import ContentFile
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import chatgpt, importing
from conversations.chatgpt import contents, reading
from conversations.chatgpt.shapes import Author, ExportedMessage
from conversations.models import Conversation, Import, ImportState, Message, Reply, Role
from conversations.tasks import enqueue_reading
from tests.factories import UserFactory


def node(
    name: str,
    parent: str | None,
    children: list[str],
    role: str = "user",
    said: Any = "",
    **more: Any,
) -> tuple[str, Any]:
    content = said if isinstance(said, dict) else {"content_type": "text", "parts": [said]}
    message = {
        "id": name,
        "author": {"role": role, "name": more.pop("tool", None), "metadata": {}},
        "create_time": more.pop("at", None),
        "content": content,
        "status": "finished_successfully",
        "weight": 1.0,
        "metadata": more.pop("metadata", {}),
        "recipient": "all",
    }
    return name, {"id": name, "message": message, "parent": parent, "children": children}


def exported(*nodes: tuple[str, Any], current: str, **more: Any) -> dict[str, Any]:
    root = {"root": {"id": "root", "message": None, "parent": None, "children": [nodes[0][0]]}}
    return {
        "title": "Cheese",
        "create_time": 1700000000.5,
        "update_time": 1700000900.0,
        "mapping": root | dict(nodes),
        "moderation_results": [],
        "current_node": current,
        "conversation_id": "11111111-2222-3333-4444-555555555555",
        "is_archived": None,
        **more,
    }


HIDDEN = {"is_visually_hidden_from_conversation": True}
TYPICAL = exported(
    node("sys", "root", ["q"], "system", "", metadata=HIDDEN),
    node("q", "sys", ["a", "b"], said="Which cheese?", at=1700000001.0),
    node("a", "q", [], "assistant", "Gouda.", metadata={"model_slug": "gpt-4"}),
    node(
        "b",
        "q",
        ["code"],
        "assistant",
        "Let me look.",
        metadata={"model_slug": "gpt-4o"},
        at=1700000003.25,
    ),
    node(
        "code",
        "b",
        ["out"],
        "assistant",
        {"content_type": "code", "language": "python", "text": "print(1)"},
    ),
    node(
        "out",
        "code",
        ["c"],
        "tool",
        {"content_type": "execution_output", "text": "1"},
        tool="python",
    ),
    node("c", "out", ["q2", "q3"], "assistant", "Brie."),
    node("q2", "c", [], said="And wine?"),
    node(
        "q3",
        "c",
        [],
        said={
            "content_type": "multimodal_text",
            "parts": [
                {
                    "content_type": "image_asset_pointer",
                    "asset_pointer": "file-service://x",
                    "width": 1,
                },
                "This?",
            ],
        },
    ),
    current="q2",
)


def zipped(*documents: tuple[str, Any]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("chat.html", "<html>")
        for name, document in documents:
            file.writestr(name, json.dumps(document))
    return out.getvalue()


def read(data: bytes, user: Any = None) -> Import:
    found = Import(user=user or UserFactory())
    found.file.save("", ContentFile(data), save=False)
    found.save()
    importing.read(found.pk, enqueue_reading)
    found.refresh_from_db()
    return found


def one(data: dict[str, Any]) -> Conversation:
    found = read(json.dumps([data]).encode())
    assert (found.state, found.taken, found.refused) == (ImportState.DONE, 1, 0), found.report
    return Conversation.objects.get(user=found.user)


def shown(conversation: Conversation) -> list[str]:
    from conversations.windows import Anchor, window, with_window

    own = Conversation.objects.filter(pk=conversation.pk)
    way = window(with_window(own, Anchor("from", 1), 1000).get())
    assert way is not None
    return list(
        conversation.messages.filter(way.holds).order_by("place").values_list("text", flat=True)
    )


@pytest.mark.django_db
def test_a_conversation_comes_with_all_its_versions() -> None:
    conversation = one(TYPICAL)
    answer = "Let me look.\n\n```python\nprint(1)\n```\n\n```\n1\n```\n\nBrie."
    assert shown(conversation) == ["Which cheese?", answer, "And wine?"]
    assert set(conversation.messages.values_list("text", flat=True)) == {
        "Which cheese?",
        "Gouda.",
        answer,
        "And wine?",
        "*(image asset pointer: not in the export's text)*\n\nThis?",
    }
    assert conversation.branches.count() == 3
    assert (conversation.title, conversation.title_is_chosen) == ("Cheese", True)
    assert conversation.created_at.timestamp() == 1700000000.5
    reply = Reply.objects.get(message__text=answer)
    assert (reply.author, reply.model, reply.status) == ("ChatGPT", "gpt-4o", "complete")
    assert reply.message.created_at.timestamp() == 1700000003.25
    assert reply.message.role == Role.ASSISTANT


@pytest.mark.django_db
@pytest.mark.parametrize("packed", [False, True])
def test_twice_makes_no_doubles(packed: bool) -> None:
    user = UserFactory()
    data = zipped(("x/conversations.json", [TYPICAL])) if packed else json.dumps([TYPICAL]).encode()
    assert read(data, user).taken == 1
    again = read(data, user)
    assert (again.taken, again.already, again.total) == (0, 1, 1)
    assert not again.file
    assert Conversation.objects.count() == 1
    assert read(data).taken == 1  # another user's


@pytest.mark.django_db
def test_large_accounts_have_several_files() -> None:
    second = TYPICAL | {"conversation_id": "other", "title": None}
    data = zipped(("conversations-000.json", [TYPICAL]), ("conversations-001.json", [second]))
    assert (read(data).total, Conversation.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_what_is_not_taken_is_reported_with_its_field() -> None:
    broken = TYPICAL | {
        "conversation_id": "b",
        "mapping": {"x": {"message": {"author": {"role": 3}, "content": {}}}},
    }
    nameless = {key: value for key, value in TYPICAL.items() if key != "conversation_id"}
    found = read(json.dumps([broken, nameless, TYPICAL]).encode())
    assert (found.taken, found.refused, found.total, found.seen) == (1, 2, 3, 3)
    first, second, third = found.report
    assert "$.mapping[...].message.author.role" in first["problem"]
    assert "$.conversation_id" in second["problem"]
    assert third["left"] == {"image_asset_pointer": 1}
    assert found.message_count == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[{]", "damaged"),
        (b'[{"a": "', "damaged"),
        (b"PK\x03\x04rubbish", "damaged"),
        (zipped(("other.json", [])), "nothing_inside"),
    ],
)
def test_a_damaged_file_says_so(data: bytes, problem: str) -> None:
    found = read(data)
    assert (found.state, found.problem) == (ImportState.FAILED, problem)
    assert chatgpt.explanation(problem) != chatgpt.explanation("internal")


@pytest.mark.django_db
def test_a_zip_of_zeros_ends(monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "MOST", 10**6)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("conversations.json", b"[" + b" " * 5_000_000 + b"]")
    assert read(out.getvalue()).problem == "too_large"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "nodes",
    [
        {"a": {"parent": "b", "children": ["b"]}, "b": {"parent": "a", "children": ["a"]}},
        {"a": {"parent": "gone", "children": ["nowhere"]}},
    ],
)
def test_trees_that_are_none_are_no_harm(nodes: dict[str, Any]) -> None:
    mapping = {
        name: node(name, one["parent"], one["children"], said=name)[1]
        for name, one in nodes.items()
    }
    found = read(json.dumps([TYPICAL | {"mapping": mapping, "current_node": "a"}]).encode())
    assert found.state == ImportState.DONE
    assert found.taken + found.refused == 1


@pytest.mark.django_db
def test_odd_times_and_nul_are_taken() -> None:
    odd = exported(
        node("q", "root", ["a"], said="a\0b", at=1e300),
        node("a", "q", [], "assistant", "x" * 300_000, at=-1.0),
        current="a",
    )
    conversation = one(odd)
    assert shown(conversation)[0] == "a\ufffdb"
    assert len(shown(conversation)[1]) == contents.LONGEST


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"content_type": "text", "parts": ["a", "", "b"]}, "a\n\nb"),
        ({"content_type": "code", "language": "unknown", "text": "a ``` b"}, "````\na ``` b\n````"),
        (
            {"content_type": "tether_quote", "url": "https://x.org", "title": "X", "text": "q"},
            "[X](https://x.org)\n\n> q",
        ),
        (
            {"content_type": "tether_quote", "url": "javascript:1", "title": "X", "text": "q"},
            "X\n\n> q",
        ),
        (
            {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]},
            "> s\n>\n> c",
        ),
        ({"content_type": "reasoning_recap", "content": "Thought for 4s"}, "*Thought for 4s*"),
        ({"content_type": "system_error", "name": "E", "text": "t"}, "E\n\nt"),
        (
            {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "audio_transcription", "text": "hi"}],
            },
            "hi",
        ),
        (
            {"content_type": "new_kind", "payload": {"a": 1}},
            '```json\n{\n  "payload": {\n    "a": 1\n  }\n}\n```',
        ),
        ({"content_type": "new_kind", "text": "plain"}, "plain"),
        ({"content_type": "text", "parts": None}, ""),
        ({}, ""),
    ],
)
def test_kinds_of_content(content: dict[str, Any], said: str) -> None:
    assert contents.text(ExportedMessage(Author("user"), content))[0] == said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5),
    st.integers(1, 7),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_list_is_cut_apart_wherever_its_chunks_end(
    items: list[Any], size: int, ascii_only: bool
) -> None:
    data = json.dumps(items, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
    chunks = iter([data[at : at + size] for at in range(0, len(data), size)])
    assert [
        json.loads(one.decode("utf-8", "surrogatepass")) for one in reading._elements(chunks)
    ] == items


@pytest.mark.django_db
@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), st.randoms())
@settings(max_examples=15, deadline=None)
def test_any_tree_keeps_every_message_behind_its_own(parents: list[int], rng: Any) -> None:
    names = [f"n{number}" for number in range(len(parents))]
    above = [
        names[min(parent, number - 1)] if number else "root"
        for number, parent in enumerate(parents)
    ]
    nodes = [
        node(
            name,
            above[at],
            [names[other] for other in range(len(names)) if above[other] == name],
            rng.choice(["user", "assistant"]),
            f"said {name}.",
        )
        for at, name in enumerate(names)
    ]
    current = rng.choice(names)
    conversation = one(exported(*nodes, current=current))
    said = "\n\n".join(conversation.messages.values_list("text", flat=True))
    assert sorted(said.split("\n\n")) == sorted(f"said {name}." for name in names)
    way, at = [], current
    while at != "root":
        way.append(f"said {at}.")
        at = above[names.index(at)]
    assert "\n\n".join(shown(conversation)).startswith("\n\n".join(reversed(way)))
    Conversation.objects.all().delete()


@pytest.mark.django_db
def test_what_was_imported_leaves_and_comes_back_whole() -> None:
    from conversations import transfer

    conversation = one(TYPICAL)
    file = b"".join(transfer.FORMATS["json"][0]([conversation]))
    assert read(file).taken == 1
    texts = sorted(conversation.messages.values_list("text", flat=True))
    others = Message.objects.exclude(conversation=conversation)
    assert sorted(others.values_list("text", flat=True)) == texts


@pytest.mark.django_db
def test_a_zip_of_many_small_bombs_ends(monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "MOST", 10**6)
    bomb = b"[" + b" " * 300_000 + b"]"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(4):
            file.writestr(f"conversations-{number}.json", bomb)
    assert read(out.getvalue()).problem == "too_large"


@pytest.mark.django_db
def test_one_that_is_nested_without_end_costs_none_of_the_others() -> None:
    deep = b'{"mapping": {}, "extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    found = read(b"[" + deep + b"," + json.dumps(TYPICAL).encode() + b"]")
    assert (found.state, found.taken, found.refused) == (ImportState.DONE, 1, 1)


@pytest.mark.django_db
def test_a_moment_that_no_page_could_show_is_none() -> None:
    last = 253402300799.0
    conversation = one(TYPICAL | {"create_time": last, "update_time": last})
    assert max(conversation.created_at, conversation.last_message_at).year < 3000
