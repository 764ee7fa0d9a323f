"""The chat backend for any server that speaks OpenAI's Chat Completions, streaming and with tools."""

from __future__ import annotations

from conversations.ai.openai.backend import OpenAIBackend

__all__ = ["OpenAIBackend"]
