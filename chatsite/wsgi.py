"""The WSGI application: every page. Streams and health live in chatsite.asgi."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from chatsite import timeouts

timeouts.begin(timeouts.Role.WEB)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

application = get_wsgi_application()
