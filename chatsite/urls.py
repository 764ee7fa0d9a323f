"""All URLs. Streams, /health/live and /health/ready are answered by chatsite.asgi before Django sees them."""

from __future__ import annotations

from allauth.account import views as account
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from chatsite.entrance import kept

static_lazy = lazy(static, str)

urlpatterns = [
    path("accounts/login/", kept(account.login), name="account_login"),
    path("accounts/signup/", kept(account.signup), name="account_signup"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # Browsers ask for it by themselves where a page (of the admin, an error) names no icon.
    path(
        "favicon.ico", RedirectView.as_view(url=static_lazy("conversations/icon.svg")), name="icon"
    ),
    path("", include("performance.urls")),
    path("", include("conversations.urls")),
]

handler400 = "chatsite.views.bad_request"
handler404 = "chatsite.views.not_found"
handler500 = "chatsite.views.server_error"
