"""What else of Django rests on a cache, and a site that has nothing else of ours."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import redis
from django.conf import settings as site
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import RequestFactory
from django.views.decorators.cache import cache_page

from performance.cache.engine import close_engines


@pytest.fixture(autouse=True, params=["RedisCache", "TieredCache"])
def backend(request: pytest.FixtureRequest, settings: Any, cache_redis: redis.Redis) -> Any:
    place = {"BACKEND": f"performance.cache.backends.{request.param}", "LOCATION": site.CACHE_URL}
    settings.CACHES = {"default": {**place, "KEY_PREFIX": "drop"}}
    yield
    close_engines()


def test_cache_page() -> None:
    calls: list[int] = []

    @cache_page(60)
    def view(request: HttpRequest) -> HttpResponse:
        calls.append(1)
        response = HttpResponse(f"call {len(calls)}", headers={"X-Mine": "1"})
        response.set_signed_cookie("c", "v")
        return response

    first, second = (view(RequestFactory().get("/page")) for _ in range(2))
    assert first.content == second.content == b"call 1"
    assert second["X-Mine"] == "1"
    assert second.cookies["c"].value == first.cookies["c"].value
    assert view(RequestFactory().get("/page?other=1")).content == b"call 2"


def test_template_fragments() -> None:
    source = "{% load cache %}{% cache 60 'part' key %}{{ value }}{% endcache %}"
    template = engines["django"].from_string(source)
    assert template.render({"key": 1, "value": "<first>"}) == "&lt;first&gt;"
    assert template.render({"key": 1, "value": "second"}) == "&lt;first&gt;"
    assert template.render({"key": 2, "value": "second"}) == "second"


def test_sessions() -> None:
    session = SessionStore()
    session["cart"] = {"items": [1, 2], "total": 1.5}
    session.save()
    again = SessionStore(session_key=session.session_key)
    assert again["cart"] == {"items": [1, 2], "total": 1.5}
    again.flush()
    assert SessionStore(session_key=session.session_key).get("cart") is None


ALONE = """
import sys; sys.path.insert(0, {root!r})
from django.conf import settings
settings.configure(CACHES={caches!r})
from django.core.cache import cache
cache.set("alone", (1, "two")); assert cache.get("alone") == (1, "two")
assert cache.stats()["sets"] == 1
print("good")
"""


def test_a_site_without_the_app() -> None:
    script = ALONE.format(root=str(site.BASE_DIR), caches=site.CACHES)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("good\n", "")
    assert cache.get("alone") == (1, "two")
