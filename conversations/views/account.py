"""The end of an account: asked for with the password, and watched from outside of it."""

from __future__ import annotations

from django import forms
from django.contrib import auth
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conversations import leaving, limits
from conversations.models import AccountDeletion, ShareLink
from conversations.request import AuthenticatedHttpRequest, signed_in
from conversations.views.responses import SeeOther
from conversations.views.settings import section_page

TRIES = 5  # at the password, a minute
_SALT = "conversations.account_deleted"


class LeaveForm(forms.Form):
    """The user's name, typed out, and their password."""

    name = forms.CharField(error_messages={"required": gettext_lazy("Type your user name.")})
    password = forms.CharField(
        strip=False, error_messages={"required": gettext_lazy("Give your password.")}
    )

    def __init__(self, request: AuthenticatedHttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self._request = request

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self._request.user.get_username():
            raise forms.ValidationError(_("That is not your user name, letter by letter."))
        return name

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if limits.exceeded(self._request, "leave", TRIES):
            raise forms.ValidationError(_("These were many tries. Wait a minute."))
        if not self._request.user.check_password(password):
            raise forms.ValidationError(_("That is not your password."))
        return password


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Says what goes and offers the export; a POST with name and password closes the account."""
    form = LeaveForm(request)
    if form.is_valid():
        try:
            deletion = leaving.leave(request.user, by=request.user)
        except leaving.LastAdministrator:
            form.add_error(None, _("You are the last administrator. Make somebody else one first."))
        else:
            auth.logout(request)
            url = reverse("conversations:account_deleted", args=[token_of(deletion)])
            return SeeOther(url)
    user = request.user
    context = {
        "form": form,
        "conversations": user.conversations.count(),
        "links": ShareLink.objects.filter(user=user, revoked_at=None).count(),
        "is_last": leaving.is_last_administrator(user),
    }
    return section_page(request, "settings/delete.html", context, 422 if form.is_bound else 200)


def token_of(deletion: AccountDeletion) -> str:
    """For the address of its page: whoever has it sees how far the deletion is."""
    return signing.dumps(deletion.pk, salt=_SALT)


@require_safe
@never_cache
def deleted(request: HttpRequest, token: str) -> HttpResponse:
    """How far it is, for whoever has just been signed out by it."""
    try:
        number = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise Http404("No account was deleted here.") from error
    deletion = get_object_or_404(AccountDeletion, pk=number)
    return render(request, "account_deleted.html", {"deletion": deletion})
