"""Budgets of a page that a browser has never seen: bytes, requests, whom it asks."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from conversations.models import Conversation, Role
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory

MOST_BYTES = 60 * 1024  # gzipped, all together
MOST_SCRIPT = 30 * 1024
MOST_REQUESTS = 8
STATIC = Path("conversations/static/conversations").absolute()
ASSET = re.compile(r'(?:src|href)="(/static/[^"]+)"')
IMPORT = re.compile(r'\bfrom "\./([^"]+)"')  # what is imported when it is needed comes later


@pytest.fixture
def conversation(db: None) -> Conversation:
    """Fifty messages of which half are answers of a thousand characters."""
    conversation = ConversationFactory.create()
    for number in range(25):
        MessageFactory.create(conversation=conversation, text=f"Question {number}")
        words = " ".join(
            hashlib.md5(str((number, word)).encode()).hexdigest() for word in range(30)
        )
        reply = ReplyFactory.create(
            message__conversation=conversation,
            message__text=words,
            message__html=f"<p>{words}</p>",
            status="complete",
        )
        assert reply.message.role == Role.ASSISTANT
    return conversation


PUBLIC = ("/", "/accounts/login/", "/help/guide/", "/settings/keyboard/", "/nothing/here/")
OWN = ("/", "/search/?words=question", "/settings/", "/settings/usage/", "/transfer/")


def pages(conversation: Conversation, language: str = "en") -> list[bytes]:
    """A page of each kind."""
    visitor, client = (Client(headers={"accept-language": language}) for _ in range(2))
    client.force_login(conversation.user)
    address = conversation.get_absolute_url()
    own = [*OWN, address, f"{address}rename/", f"{address}share/"]
    return [
        *(visitor.get(page).content for page in PUBLIC),
        *(client.get(page).content for page in own),
    ]


def assets(page: bytes) -> dict[str, bytes]:
    """What the page fetches, and what that imports, by name."""
    found: dict[str, bytes] = {}
    for address in ASSET.findall(page.decode()):
        path = Path(finders.find(address.removeprefix("/static/")) or "")
        found[path.name] = path.read_bytes()
        for name in IMPORT.findall(found[path.name].decode()) if path.suffix == ".js" else []:
            found[name] = (path.parent / name).read_bytes()
    return found


def weight(parts: Any) -> int:
    return sum(len(gzip.compress(part)) for part in parts)


@pytest.mark.parametrize("language", ["en", "de"])
def test_pages_are_light(conversation: Conversation, language: str) -> None:
    for page in pages(conversation, language):
        fetched = assets(page)
        assert len(fetched) + 1 <= MOST_REQUESTS
        scripts = [data for name, data in fetched.items() if name.endswith(".js")]
        assert weight(scripts) <= MOST_SCRIPT
        # A conversation's own text is what it is; a thousand characters an answer count here.
        assert weight([page, *fetched.values()]) <= MOST_BYTES


def test_pages_ask_nobody_else_and_hold_nothing_inline(conversation: Conversation) -> None:
    for page in pages(conversation):
        text = page.decode()
        assert not re.search(r'(?:src|action|href)="(?:https?:)?//', text)
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", text)


def test_the_policy_lets_nothing_inline_run(db: None) -> None:
    response = Client().get("/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("app", ["conversations", "performance"])
def test_vendored_files_are_the_published_ones(app: str) -> None:
    folder = Path(app, "static", app, "vendor").absolute()
    entries = json.loads((folder / "VENDORED.json").read_text())
    listed = {"VENDORED.json"}
    for entry in entries:
        data = (folder / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        digest = base64.b64encode(hashlib.sha384(data).digest()).decode()
        assert f"sha384-{digest}" == entry["sha384"]
        listed |= {entry["file"], entry["licence_file"]}
    assert {path.name for path in folder.iterdir()} == listed
