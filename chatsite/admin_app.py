"""The admin with our site as its default; in a module of its own, since an app has one default config."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class ChatsiteAdminConfig(AdminConfig):
    default_site = "chatsite.admin_site.ChatsiteAdminSite"
