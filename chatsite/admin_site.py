"""The admin's site: the accounts' own log-in in front, and a CSP that its theme can live with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from unfold.sites import UnfoldAdminSite

# The theme's scripts evaluate their attributes and set styles; every other page of the site does not.
ADMIN_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

View = Callable[..., HttpResponse]


class ChatsiteAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Log-in goes through the accounts pages, with their rate limits; non-staff get a 403."""

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        checked: View = super().admin_view(view, cacheable)
        return csp_override(ADMIN_CSP)(checked)

    def get_urls(self) -> list[Any]:
        """With the page that belongs to no model."""
        from chatsite.happened import happened  # models are not loaded when this site is made

        page = path("happened/", self.admin_view(happened), name="happened")
        return [page, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The theme's list, with the dashboard before everything that is only looked up."""
        apps: list[Any] = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=lambda model: model["object_name"] != "Dashboard")
        return sorted(apps, key=lambda app: app["app_label"] != "performance")

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
