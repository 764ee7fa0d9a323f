"""Rows for tests."""

from __future__ import annotations

import factory
from django.contrib.auth import get_user_model
from factory.django import DjangoModelFactory

from conversations import markdown
from conversations.models import (
    Branch,
    Conversation,
    Message,
    Rating,
    Reply,
    Role,
    Status,
    ToolRun,
    Verdict,
)

PASSWORD = "correct horse battery"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password(PASSWORD)


class ConversationFactory(DjangoModelFactory):
    class Meta:
        model = Conversation

    user = factory.SubFactory(UserFactory)
    title = factory.Sequence(lambda number: f"Conversation {number}")


class MessageFactory(DjangoModelFactory):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    branch = factory.LazyAttribute(lambda message: message.conversation.shown_branch)
    place = factory.LazyAttribute(
        lambda message: Branch.objects.with_tip().get(pk=message.branch.pk).tip + 1
    )
    role = Role.USER
    text = "Hello"
    html = factory.LazyAttribute(lambda message: markdown.render(message.text))
    renderer = markdown.RENDERER


class ReplyFactory(DjangoModelFactory):
    class Meta:
        model = Reply

    message = factory.SubFactory(MessageFactory, role=Role.ASSISTANT, text="")
    status = Status.PENDING


class ToolRunFactory(DjangoModelFactory):
    class Meta:
        model = ToolRun

    reply = factory.SubFactory(ReplyFactory)
    attempt = 1
    name = "calculate"
    arguments = '{"expression":"1+1"}'
    result = "2"


class RatingFactory(DjangoModelFactory):
    class Meta:
        model = Rating

    message = factory.LazyFunction(lambda: ReplyFactory(status=Status.COMPLETE, attempt=1).message)
    user = factory.SelfAttribute("message.conversation.user")
    attempt = 1
    verdict = Verdict.UP
    backend = "default"
