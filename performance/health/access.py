"""Who may read figures: staff, whoever has the token, and programs on this machine."""

from __future__ import annotations

import hmac
import ipaddress

from django.http import HttpRequest

# Set by a proxy, be it empty: the address is then the proxy's, which may well be this machine's.
FORWARDED = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA"),
)


def has_token(request: HttpRequest, token: str) -> bool:
    """True where the request shows `token` as `Authorization: Bearer ...`; no token, no access."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(token)
        and scheme.lower() == "bearer"
        and hmac.compare_digest(shown.strip().encode(), token.encode())
    )


def is_local(request: HttpRequest) -> bool:
    """True where the request began on this machine and came through no proxy."""
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def is_staff(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_active and user.is_staff
