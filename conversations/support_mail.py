"""The e-mail that tells a user of a conversation of theirs that was opened without their consent."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from conversations.models import Preferences, SupportAccess


def tell_of_broken_glass(access_id: int) -> bool:
    """Raises OSError where the mail server cannot be reached. False where there is nobody to tell."""
    access = SupportAccess.objects.select_related("user").filter(pk=access_id).first()
    if access is None or not access.user.email:
        return False
    with translation.override(_language(access.user_id)):
        context = {
            "access": access,
            "name": access.user.get_username(),
            "url": settings.SITE_URL + reverse("conversations:privacy"),
        }
        body = render_to_string("support/glass_broken.txt", context)
        send_mail(_("A conversation of yours was opened"), body, None, [access.user.email])
    return True


def _language(user_id: int) -> str:
    preferences = Preferences.objects.filter(user=user_id).first()
    return (preferences.language if preferences else "") or settings.LANGUAGE_CODE
