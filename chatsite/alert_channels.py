"""ALERTS_* variables to the channels of alerts."""

from __future__ import annotations

from typing import Any

from chatsite import env

CHANNELS = "performance.alerts.channels"


def alert_channels() -> dict[str, dict[str, Any]]:
    """CHANNELS of PERFORMANCE["ALERTS"]: one for each kind that the environment names."""
    found: dict[str, dict[str, Any]] = {}
    least = env.choice("ALERTS_MIN_SEVERITY", "warning", ("info", "warning", "critical"))
    if to := env.words("ALERTS_EMAIL"):
        found["email"] = _channel("email.EmailChannel", to=to, min_severity=least)
    if url := env.secret("ALERTS_WEBHOOK_URL"):
        secret = env.secret("ALERTS_WEBHOOK_SECRET")
        found["webhook"] = _channel(
            "webhook.WebhookChannel", url=url, secret=secret, min_severity=least
        )
    if urls := env.secret("ALERTS_APPRISE_URLS").split():
        found["apprise"] = _channel("apprise.AppriseChannel", urls=urls, min_severity=least)
    return found


def _channel(kind: str, **options: Any) -> dict[str, Any]:
    return {"BACKEND": f"{CHANNELS}.{kind}", "OPTIONS": options}
