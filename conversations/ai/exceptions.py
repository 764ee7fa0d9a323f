"""What can go wrong between us and a chat backend, each with the sentence its user reads."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_noop


class ChatBackendError(Exception):
    """Base. `explanation` is for the user: what happened and what can be done; no secret in it.

    `code` is stored with the reply and counted; `retryable` says whether the same request may
    succeed later. `detail` is for the log: a status or a name, nothing that was asked or answered.
    """

    loggable: ClassVar[bool] = True

    code = "backend_error"
    explanation = gettext_noop("The assistant could not answer because of a fault on its side.")
    retryable = True

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail or self.explanation)
        self.retry_after = retry_after


class BackendUnreachable(ChatBackendError):
    code = "unreachable"
    explanation = gettext_noop(
        "The assistant's server could not be reached. Your message is saved; try again in a moment."
    )


class BackendTimeout(ChatBackendError):
    code = "timeout"
    explanation = gettext_noop(
        "The assistant's server took too long. What it had written so far is kept; you can try again."
    )


class StreamInterrupted(ChatBackendError):
    code = "interrupted"
    explanation = gettext_noop(
        "The connection to the assistant broke off in the middle of the answer. What arrived is kept; you can try again."
    )


class RateLimited(ChatBackendError):
    code = "rate_limited"
    explanation = gettext_noop(
        "The assistant's server is handling too many requests right now. Wait a moment, then try again."
    )


class QuotaExhausted(ChatBackendError):
    code = "quota"
    explanation = gettext_noop(
        "This site's account with the assistant's provider is used up. The site's operator has to renew it."
    )
    retryable = False


class BackendOverloaded(ChatBackendError):
    code = "overloaded"
    explanation = gettext_noop(
        "The assistant's server reported a fault of its own. Your message is saved; try again in a moment."
    )


class BadCredentials(ChatBackendError):
    code = "credentials"
    explanation = gettext_noop(
        "The assistant's server refused this site's key. The site's operator has to correct it."
    )
    retryable = False


class NotInstalled(ChatBackendError):
    code = "not_installed"
    explanation = gettext_noop(
        "The local model is not installed. The site's operator can add it with the extra local-model."
    )
    retryable = False


class ContextTooLong(ChatBackendError):
    code = "context_too_long"
    explanation = gettext_noop(
        "This conversation has grown longer than the assistant can read. Start a new one to go on."
    )
    retryable = False


class RequestRefused(ChatBackendError):
    code = "refused"
    explanation = gettext_noop(
        "The assistant's server did not accept this request. The site's operator can find the reason in the log."
    )
    retryable = False


class MalformedAnswer(ChatBackendError):
    code = "malformed"
    explanation = gettext_noop(
        "The assistant's server sent something that could not be read. What arrived before is kept; you can try again."
    )
