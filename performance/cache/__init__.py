"""The public door of the cache: the three caches of the chat, namespaces, and read-through."""

from __future__ import annotations

from performance.cache.ai_responses import ai_response_cache
from performance.cache.conversations import conversation_cache
from performance.cache.digest import digest
from performance.cache.frozen import FrozenDict, freeze
from performance.cache.kinds import register
from performance.cache.namespaces import Namespace, namespace
from performance.cache.purging import purge_user
from performance.cache.remembering import aremember, remember
from performance.cache.stored import Stored
from performance.cache.tool_results import ToolCall, tool_result_cache

__all__ = [
    "FrozenDict",
    "Namespace",
    "Stored",
    "ToolCall",
    "ai_response_cache",
    "aremember",
    "conversation_cache",
    "digest",
    "freeze",
    "namespace",
    "purge_user",
    "register",
    "remember",
    "tool_result_cache",
]
