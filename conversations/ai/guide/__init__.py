"""The Guide: the chat backend that is no language model. It quotes, and calls tools."""

from __future__ import annotations

from conversations.ai.guide.backend import GuideBackend

__all__ = ["GuideBackend"]
