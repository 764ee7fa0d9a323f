"""The addresses of a site that nobody else asks for."""

from __future__ import annotations

urlpatterns: list[object] = []
