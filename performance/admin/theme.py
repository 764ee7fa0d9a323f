"""django-unfold's classes where the project has it among its INSTALLED_APPS, else Django's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.utils.module_loading import import_string


class PlainAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Django's ModelAdmin with the two places for a part of ours that the theme's has."""

    list_before_template = ""
    change_form_after_template = ""
    change_form_template = "performance/admin/change_form.html"
    draws_its_parts = True


def plain_display(column: Callable[..., Any], *, label: object = None, **options: Any) -> Any:
    """Django's `display`: without the theme a label is its text."""
    return admin.display(**options)(column)


def _themed(path: str, plain: Any) -> Any:
    return import_string(path) if apps.is_installed("unfold") else plain


ModelAdmin: Any = _themed("unfold.admin.ModelAdmin", PlainAdmin)
display: Any = _themed("unfold.decorators.display", plain_display)
TextInput: Any = _themed("unfold.widgets.UnfoldAdminTextInputWidget", AdminTextInputWidget)
Checkboxes: Any = _themed(
    "unfold.widgets.UnfoldAdminCheckboxSelectMultipleWidget", forms.CheckboxSelectMultiple
)
