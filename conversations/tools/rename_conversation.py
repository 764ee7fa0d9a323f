"""The tool `rename_conversation`."""

from __future__ import annotations

from typing import Annotated, Any

from asgiref.sync import sync_to_async
from msgspec import Meta

from conversations.models import TITLE_LENGTH, Conversation
from conversations.tools.base import ToolContext, ToolError, tool

Title = Annotated[
    str,
    Meta(
        description="The new name, a few words on one line.", min_length=1, max_length=TITLE_LENGTH
    ),
]


@tool(acts=True)
async def rename_conversation(title: Title, context: ToolContext) -> dict[str, Any]:
    """Gives this conversation another name. The user is asked before it happens."""
    return await sync_to_async(_rename)(title, context)


def _rename(title: str, context: ToolContext) -> dict[str, Any]:
    own = Conversation.objects.filter(pk=context.conversation_id, user_id=context.user_id)
    conversation = own.first()
    if conversation is None:
        raise ToolError("This conversation is gone.")
    name = " ".join(title.replace("\0", "").split())
    if not name:
        raise ToolError("The new name is empty.")
    before = conversation.name
    conversation.rename(name)
    return {"before": before, "title": name}
