from __future__ import annotations

from typing import Any

import pytest

from conversations.ai.openai import OpenAIBackend
from conversations.ai.openai.options import read

GOOD = {"base_url": "https://models.example/v1", "model": "m"}


@pytest.mark.parametrize("base_url", ["http://[::1]:8000/v1", "https://models.example/v1/"])
def test_good(base_url: str) -> None:
    url = str(read(GOOD | {"base_url": base_url}).url)
    assert url == base_url.rstrip("/") + "/chat/completions"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"base_url": ""}, "http"),
        ({"base_url": "models.example/v1"}, "http"),
        ({"base_url": "file:///etc/passwd"}, "http"),
        ({"base_url": "gopher://models.example"}, "http"),
        ({"base_url": "http://"}, "no host"),
        ({"base_url": "http://[::"}, "not a URL"),
        ({"base_url": "https://user:hunter2@models.example/v1"}, "user name"),
        ({"base_url": "https://models.example/v1?key=hunter2"}, "query"),
        ({"model": " "}, "no model"),
        ({"tries": 0}, "positive"),
        ({"gap_timeout": 0}, "positive"),
        ({"gap_timeout": "x"}, "float"),
        ({"gap_timeuot": 3}, "gap_timeuot"),
    ],
)
def test_bad(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        read(GOOD | change)
    assert "hunter2" not in str(caught.value)
    (found,) = OpenAIBackend("default", GOOD | change).check()
    assert found.id == "conversations.E003"


def test_check_is_content_with_good_options() -> None:
    assert OpenAIBackend("default", GOOD).check() == []
