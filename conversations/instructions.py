"""The system prompt of an answer: the site's, then its user's for all conversations, then this one's."""

from __future__ import annotations

FOR_ALL = "The user's instructions for all of their conversations:"
FOR_THIS = "The user's instructions for this conversation, which come before those for all:"


def system_prompt(of_site: str, of_user: str, of_conversation: str) -> str:
    """What the model is told; parts that nobody has written leave no trace."""
    parts = [of_site]
    if of_user:
        parts.append(f"{FOR_ALL}\n{of_user}")
    if of_conversation:
        parts.append(f"{FOR_THIS}\n{of_conversation}")
    return "\n\n".join(filter(None, parts))
