"""Housekeeping that no other test of its nouns asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations import tasks
from conversations.models import ShareLink
from tests.factories import MessageFactory


@pytest.mark.django_db
def test_share_links_go_some_time_after_their_end(settings: Any, monkeypatch: Any) -> None:
    settings.SHARING_ENDED_DAYS = 30
    monkeypatch.setattr(tasks, "BATCH", 1)
    message = MessageFactory.create()
    now = timezone.now()

    def link(name: str, **fields: Any) -> None:
        ShareLink.objects.create(
            user=message.conversation.user,
            conversation=message.conversation,
            branch=message.branch,
            last_place=1,
            shown_until=now,
            created_at=now - timedelta(days=900),
            digest=name,
            **fields,
        )

    link("works")
    link("works for a year", expires_at=now + timedelta(days=365))
    link("revoked lately", revoked_at=now - timedelta(days=29))
    link("expired lately", expires_at=now - timedelta(days=29))
    link("revoked", revoked_at=now - timedelta(days=31), expires_at=now + timedelta(days=1))
    link("expired", expires_at=now - timedelta(days=31))
    assert tasks.prune_share_links.func() == 2
    assert sorted(ShareLink.objects.values_list("digest", flat=True)) == [
        "expired lately",
        "revoked lately",
        "works",
        "works for a year",
    ]
    assert tasks.prune_share_links.func() == 0
