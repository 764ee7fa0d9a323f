"""`manage.py seed_demo`: a small conversation to look at on the first visit."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from conversations import markdown
from conversations.models import Conversation, Message, Reply, Role, Status

# Fixed, so that seeding again finds the conversation of the first time.
KEY = UUID("6f0c1a52-8a0e-4c39-9d8e-0c5d3f6b7a10")
TITLE = "Welcome"
EXCHANGES = [
    (
        "What can you do?",
        """I am the **Guide**, the assistant this site starts with. I am not a language model: I answer by
quoting the help pages and your own conversations, and by calling tools whose results are exact.

Try one of these:

- `What is 17.5% of 240?`
- `What time is it in Tokyo?`
- `Convert 5 miles to km`
- `How do I delete a conversation?`

To talk with a language model instead, point the site at any OpenAI-compatible server:

```sh
LLM_BASE_URL=http://localhost:8080/v1 LLM_MODEL=my-model make run
```
""",
    ),
]


class Command(BaseCommand):
    help = "Gives a user a small conversation to look at. Does nothing where they have it already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", default="admin", help="username (default: admin)")

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects.filter(username=options["user"])
        user = users.first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}; name one with --user.")
        with transaction.atomic():
            conversation, created = Conversation.objects.get_or_create(
                user=user, idempotency_key=KEY, defaults={"title": TITLE}
            )
            if created:
                _fill(conversation)
        self.stdout.write(f"{TITLE!r} is {'ready' if created else 'already there'}.")


def _fill(conversation: Conversation) -> None:
    now = timezone.now()
    for question, answer in EXCHANGES:
        _message(conversation, Role.USER, question)
        message = _message(conversation, Role.ASSISTANT, answer)
        Reply.objects.create(
            message=message,
            status=Status.COMPLETE,
            attempt=1,
            author="Guide",
            started_at=now,
            first_text_at=now,
            finished_at=now,
        )


def _message(conversation: Conversation, role: Role, text: str) -> Message:
    message = Message(
        role=role,
        text=text,
        html=markdown.render(text, breaks=role == Role.USER),
        renderer=markdown.RENDERER,
    )
    conversation.shown_branch.append(message)
    return message
