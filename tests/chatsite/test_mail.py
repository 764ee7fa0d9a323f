from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

from chatsite.mail import email_settings


def test_e_mails_are_printed_where_somebody_says_so() -> None:
    backend = email_settings("console:")["EMAIL_BACKEND"]
    assert backend == "django.core.mail.backends.console.EmailBackend"


def test_without_a_url_nothing_is_sent_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = import_string(email_settings("")["EMAIL_BACKEND"])()

    assert backend.send_messages([EmailMessage("Reset", "the link", to=["a@example.org"])]) == 0

    assert "email_not_sent" in caplog.text
    assert "the link" not in caplog.text + capsys.readouterr().out


def test_smtp_starts_tls_and_smtps_begins_with_it() -> None:
    plain, encrypted = email_settings("smtp://mail.example.org"), email_settings("smtps://m:9465")

    assert (plain["EMAIL_PORT"], plain["EMAIL_USE_TLS"], plain["EMAIL_USE_SSL"]) == (
        587,
        True,
        False,
    )
    assert (encrypted["EMAIL_PORT"], encrypted["EMAIL_USE_SSL"]) == (9465, True)


def test_special_characters_of_a_password_are_escaped_in_the_url() -> None:
    found = email_settings("smtp://me%40example.org:p%2Fw%3A@mail.example.org:25")

    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("me@example.org", "p/w:")
    assert found["EMAIL_PORT"] == 25


@pytest.mark.parametrize(
    "url", ["http://host", "smtp://", "mail.example.org", "smtp://u:canary@h:port"]
)
def test_any_other_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        email_settings(url)
    assert "EMAIL_URL" in str(error.value)
    assert "canary" not in str(error.value)
