"""The site: settings, URLs, servers, how it starts."""

from __future__ import annotations

__version__ = "0.1.0"
