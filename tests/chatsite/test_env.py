from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import env

SAFE = {
    "SECRET_KEY": "0123456789 abcdefghij" * 3,
    "ALLOWED_HOSTS": ["chat.example.org"],
    "DATABASE_URL": "postgres://db/chat",
}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other settings of the process, and their misspellings, do not count here."""
    monkeypatch.setattr(env, "_names", set())


def test_text_is_stripped_and_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETING", "  hello ")
    assert env.text("GREETING") == "hello"
    monkeypatch.setenv("GREETING", " ")
    assert env.text("GREETING", "hi") == "hi"


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("API_KEY_FILE", str(tmp_path / "key"))
    assert env.secret("API_KEY") == "from the file"


def test_a_secret_in_two_places_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "s3cret")
    monkeypatch.setenv("API_KEY_FILE", "/s3cret")
    with pytest.raises(ImproperlyConfigured, match="API_KEY and API_KEY_FILE") as raised:
        env.secret("API_KEY")
    assert "s3cret" not in str(raised.value)


def test_a_secret_file_that_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("API_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="No such file"):
        env.secret("API_KEY")
    (tmp_path / "missing").write_bytes(b"\xff")
    with pytest.raises(ImproperlyConfigured, match="not UTF-8"):
        env.secret("API_KEY")


@pytest.mark.parametrize(("word", "value"), [("ON", True), ("0", False), ("", True)])
def test_flags(monkeypatch: pytest.MonkeyPatch, word: str, value: bool) -> None:
    monkeypatch.setenv("SWITCH", word)
    assert env.flag("SWITCH", default=True) is value


def test_a_flag_of_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", "maybe")
    with pytest.raises(ImproperlyConfigured, match="SWITCH"):
        env.flag("SWITCH", default=False)


@pytest.mark.parametrize("word", ["-1", "11", "1.5", "ten", "²"])
def test_a_number_outside_its_limits_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("THREADS", word)
    with pytest.raises(ImproperlyConfigured, match="from 1 to 10"):
        env.number("THREADS", 4, least=1, most=10)


def test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "a, b,,")
    assert env.words("HOSTS") == ["a", "b"]


HOSTS = ["chat.example.org", ".example.org", "127.0.0.1", "[::1]", "a_b", "*"]


def test_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.choice("LEVEL", "", ["high", "low"]) == ""
    monkeypatch.setenv("LEVEL", "LOW")
    assert env.choice("LEVEL", "high", ["high", "low"]) == "low"
    monkeypatch.setenv("LEVEL", "s3cret")
    with pytest.raises(ImproperlyConfigured, match="LEVEL must be one of high, low") as raised:
        env.choice("LEVEL", "high", ["high", "low"])
    assert "s3cret" not in str(raised.value)


def test_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", ", ".join(HOSTS))
    assert env.hosts("HOSTS") == HOSTS


@pytest.mark.parametrize(
    "word",
    ["https://chat.example.org", "chat.example.org:80", "*.example.org", ".", "a b", "a/b"],
)
def test_what_is_no_host_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("HOSTS", word)
    with pytest.raises(ImproperlyConfigured, match="HOSTS must be host names") as raised:
        env.hosts("HOSTS")
    assert f" {word} " not in f" {raised.value} "


def test_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGINS", "https://*.example.org, http://localhost:8000")
    assert env.origins("ORIGINS") == ["https://*.example.org", "http://localhost:8000"]


@pytest.mark.parametrize("word", ["chat.example.org", "https://", "https://a/b", "ftp://a"])
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("ORIGINS", word)
    with pytest.raises(ImproperlyConfigured, match="ORIGINS must be origins"):
        env.origins("ORIGINS")


def test_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.address("PLACE") == ""
    monkeypatch.setenv("PLACE", "http://[::1]:8080/v1/{id}")
    assert env.address("PLACE") == "http://[::1]:8080/v1/{id}"


@pytest.mark.parametrize("word", ["s3cret", "file:///s3cret", "http://", "http://a:s3cret/", "//a"])
def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("PLACE", word)
    with pytest.raises(ImproperlyConfigured, match="PLACE must be an address") as raised:
        env.address("PLACE")
    assert "s3cret" not in str(raised.value)


def test_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.command("SCANNER") == ()
    monkeypatch.setenv("SCANNER", "clamscan --config '/a b'")
    assert env.command("SCANNER") == ("clamscan", "--config", "/a b")
    monkeypatch.setenv("SCANNER", "clamscan 's3cret")
    with pytest.raises(ImproperlyConfigured, match="SCANNER has a quotation mark") as raised:
        env.command("SCANNER")
    assert "s3cret" not in str(raised.value)


def test_a_guessable_fallback_is_as_bad_as_a_guessable_key() -> None:
    env.refuse_unsafe(required=SAFE, fallbacks=[str(SAFE["SECRET_KEY"])])
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FALLBACKS") as raised:
        env.refuse_unsafe(required=SAFE, fallbacks=["s3cret"])
    assert "s3cret" not in str(raised.value)


def test_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.prices("PRICES") == []
    monkeypatch.setenv("PRICES", "0.15, 3")
    assert env.prices("PRICES") == [Decimal("0.15"), 3]
    monkeypatch.setenv("PRICES", "0.15,3,0.075")
    assert env.prices("PRICES")[2] == Decimal("0.075")
    for bad in ("1", "1,2,3,4", "1,-2", "1,nan", "1,x"):
        monkeypatch.setenv("PRICES", bad)
        with pytest.raises(ImproperlyConfigured, match="PRICES must be two or three numbers"):
            env.prices("PRICES")


def test_prices_of_several_models(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.price_list("PRICES") == {}
    monkeypatch.setenv("PRICES", "big=2.5,10,1.25; org/small=0.15,0.6;")
    assert env.price_list("PRICES") == {
        "big": [Decimal("2.5"), 10, Decimal("1.25")],
        "org/small": [Decimal("0.15"), Decimal("0.6")],
    }
    for bad in ("1,2", "=1,2", "big=1", "big"):
        monkeypatch.setenv("PRICES", bad)
        with pytest.raises(ImproperlyConfigured, match="PRICES must be"):
            env.price_list("PRICES")


def test_a_currency_is_three_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.currency("MONEY", "USD") == "USD"
    monkeypatch.setenv("MONEY", "eur")
    assert env.currency("MONEY", "USD") == "EUR"
    monkeypatch.setenv("MONEY", "euros")
    with pytest.raises(ImproperlyConfigured, match="three letters"):
        env.currency("MONEY", "USD")


def test_safe_values_pass() -> None:
    env.refuse_unsafe(required=dict(SAFE))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("DATABASE_URL", "", "must be set: DATABASE_URL"),
        ("SECRET_KEY", "short", "too easy to guess"),
        ("SECRET_KEY", "django-insecure-" + "abcdefghij" * 9, "too easy to guess"),
        ("SECRET_KEY", "a" * 90, "too easy to guess"),
        ("ALLOWED_HOSTS", ["*"], "must name the hosts"),
    ],
)
def test_unsafe_values_are_refused_by_name_alone(key: str, value: object, message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message) as raised:
        env.refuse_unsafe(required={**SAFE, key: value})
    assert not value or str(value) not in str(raised.value)


def test_a_slip_of_the_pen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    env.text("DATABASE_URL")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABSE_URL", "postgres://secret")
    with pytest.raises(ImproperlyConfigured, match=r"DATABSE_URL .* DATABASE_URL") as raised:
        env.refuse_unsafe(required=dict(SAFE))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("word", "value"), [("", 0.5), ("0", 0.0), ("1", 1.0), ("0.25", 0.25)])
def test_ratios(monkeypatch: pytest.MonkeyPatch, word: str, value: float) -> None:
    monkeypatch.setenv("SHARE", word)
    assert env.ratio("SHARE", default=0.5) == value


@pytest.mark.parametrize("word", ["1.5", "-0.1", "half", "nan", "1e-3", "\u0661"])
def test_no_ratio(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("SHARE", word)
    with pytest.raises(ImproperlyConfigured, match="SHARE must be a number from 0 to 1"):
        env.ratio("SHARE", default=0.5)
