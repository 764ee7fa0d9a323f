from __future__ import annotations

import importlib
from unittest import mock

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from performance import middleware


def test_without_the_app_it_says_what_is_missing() -> None:
    with (
        mock.patch.object(apps, "is_installed", return_value=False),
        pytest.raises(ImproperlyConfigured, match='put "performance" into INSTALLED_APPS'),
    ):
        importlib.reload(middleware)
