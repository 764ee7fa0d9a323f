"""Removing what is stored for a user: not only no longer read, but gone from the server's memory."""

from __future__ import annotations

from performance.cache import ai_responses, conversations, tool_results
from performance.cache.namespaces import Namespace


def purge_user(user_id: object) -> None:
    """Deletes every page, answer and tool result that is stored for that user, in both tiers.

    It looks through all keys of the server: for the end of an account, not for every day. What `forget`
    and `clear` have outdated before is read by nobody, and expires within its time to live.
    """
    for alias in (conversations.ALIAS, ai_responses.ALIAS, tool_results.ALIAS):
        Namespace(f"user:{user_id}", cache=alias).purge()
