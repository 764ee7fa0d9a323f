"""Pages kept compressed: what a browser unpacks is the page, with each request's own values in its gaps."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpRequest

from conversations.compressed import CompressedPage, response

PAGES = [
    "",
    "no gap",
    "\0one\0",
    "at the \0one\0 and \0two\0, next to another \0one\0\0two\0",
    "\0two\0 at both ends, and long: " + "<li>ä row</li>" * 9000 + "\0one\0",
]
OWN = [
    {"one": "1", "two": "2"},
    {"one": "", "two": "ü" * 300},
    {"one": "x" * 65_535, "two": "</p>"},
]


def with_values(page: str, own: dict[str, str]) -> str:
    for name, value in own.items():
        page = page.replace(f"\0{name}\0", value)
    return page


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("page", PAGES)
def test_it_unpacks_to_the_page_with_the_values(page: str, own: dict[str, str]) -> None:
    # This also checks length and checksum at its end.
    found = gzip.decompress(CompressedPage.of(page).filled(own))
    assert found.decode() == with_values(page, own)


def test_a_value_is_not_compressed() -> None:
    token = "token" * 12
    found = CompressedPage.of(f"{token * 9}\0one\0{token * 9}").filled({"one": token})
    assert token.encode() in found
    assert len(found) < 400


def test_the_size_tells_less_than_it_could() -> None:
    page = CompressedPage.of(PAGES[3])
    assert len({len(page.filled(OWN[0])) for _ in range(30)}) > 3


def test_a_value_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="65536 bytes are too many"):
        CompressedPage.of("\0one\0").filled({"one": "x" * 65_536})


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, br", "gzip"), ("br", None), ("", None), (None, None)]
)
def test_who_takes_no_gzip_gets_none(accepted: str | None, encoding: str | None) -> None:
    request = HttpRequest()
    if accepted is not None:
        request.META["HTTP_ACCEPT_ENCODING"] = accepted
    found = response(request, CompressedPage.of(PAGES[3]), OWN[0])
    assert found.get("Content-Encoding") == encoding
    assert found["Vary"] == "Accept-Encoding"
    plain = gzip.decompress(found.content) if encoding else found.content
    assert plain.decode() == with_values(PAGES[3], OWN[0])
