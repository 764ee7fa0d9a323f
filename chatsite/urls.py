"""All URLs. Streams and health are answered by chatsite.asgi before Django sees them."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("conversations.urls")),
]

handler400 = "chatsite.views.bad_request"
