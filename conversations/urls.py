"""The chat's pages. Fragments of them are for the page's own scripts."""

from __future__ import annotations

from django.urls import path

from conversations.views import (
    attachments,
    conversations,
    help_pages,
    looking,
    messages,
    privacy,
    rating,
    replies,
    searching,
    settings,
    setups,
    shared,
    sharing,
    transfer,
    versions,
)

app_name = "conversations"

urlpatterns = [
    path("", conversations.conversation_list, name="list"),
    path("c/<uuid:pk>/", conversations.detail, name="detail"),
    path("c/<uuid:pk>/rename/", conversations.rename, name="rename"),
    path("c/<uuid:pk>/setup/", setups.setup, name="setup"),
    path("c/<uuid:pk>/delete/", conversations.delete, name="delete"),
    path("c/<uuid:pk>/look/", looking.look, name="look"),
    path("c/<uuid:pk>/events/", replies.events, name="events"),
    path("c/<uuid:pk>/messages/", messages.messages, name="messages"),
    path("c/<uuid:pk>/messages/<int:number>/", messages.message, name="message"),
    path("c/<uuid:pk>/messages/<int:number>/stop/", replies.stop, name="stop"),
    path("c/<uuid:pk>/messages/<int:number>/retry/", replies.retry, name="retry"),
    path("c/<uuid:pk>/messages/<int:number>/continue/", replies.go_on, name="continue"),
    path("c/<uuid:pk>/messages/<int:number>/edit/", versions.edit, name="edit"),
    path("c/<uuid:pk>/messages/<int:number>/tools/<int:run>/", replies.tool_run, name="tool_run"),
    path("c/<uuid:pk>/messages/<int:number>/rating/", rating.rate, name="rating"),
    path("c/<uuid:pk>/versions/<int:branch>/<int:place>/", versions.version, name="version"),
    path("c/<uuid:pk>/export/", transfer.export, name="export"),
    path("c/<uuid:pk>/share/", sharing.share, name="share"),
    path("s/<str:secret>/", shared.shared, name="shared"),
    path("c/<uuid:pk>/cited/", attachments.cited, name="cited"),
    path("attachments/", attachments.upload, name="upload"),
    path("attachments/<uuid:file>/", attachments.attachment, name="attachment"),
    path("attachments/<uuid:file>/text/", attachments.text, name="attachment_text"),
    path("attachments/<uuid:file>/chip/", attachments.chip, name="attachment_chip"),
    path("attachments/<uuid:file>/remove/", attachments.remove, name="attachment_remove"),
    path("transfer/", transfer.transfer, name="transfer"),
    path("search/", searching.search, name="search"),
    path("settings/", settings.overview, name="settings"),
    path("settings/assistant/", settings.assistant, name="settings_assistant"),
    path("settings/history/", settings.history, name="settings_history"),
    path("settings/appearance/", settings.appearance, name="settings_appearance"),
    path("settings/language/", settings.language, name="settings_language"),
    path("settings/usage/", settings.usage, name="settings_usage"),
    path("settings/privacy/", privacy.privacy, name="privacy"),
    path("settings/privacy/<int:number>/take-back/", privacy.take_back, name="take_back_consent"),
    path("settings/keyboard/", settings.keyboard, name="settings_keyboard"),
    path("settings/shares/", sharing.shares, name="shares"),
    path("settings/shares/<int:number>/revoke/", sharing.revoke, name="revoke_share"),
    path("help/", help_pages.help_list, name="help"),
    path("help/<slug:slug>/", help_pages.help_page, name="help_page"),
]
