"""Users and groups in the admin's own look."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from conversations.leaving import LastAdministrator, is_last_administrator, leave

admin.site.unregister([User, Group])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_staff", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups", "date_joined"]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """In a line each, not with all that is theirs: that is private, and may be a million rows."""
        users = list(objs)
        kept = [f"{user}: the last administrator" for user in users if is_last_administrator(user)]
        lines = [f"{user}, with everything that is theirs" for user in users]
        return lines, {"users": len(users)}, set(), kept

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Closes the account at once; a task erases it."""
        self._leave(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self._leave(request, user)

    def _leave(self, request: HttpRequest, user: User) -> None:
        try:
            leave(user, by=cast("User", request.user))
        except LastAdministrator:
            messages.error(request, f"{user} is the last administrator, and stays.")
        else:
            messages.info(
                request, f"{user} cannot sign in any more. What is theirs is being erased."
            )


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass


admin.site.unregister(EmailAddress)


@admin.register(EmailAddress)
class EmailAddressAdmin(AllauthEmailAddressAdmin, ModelAdmin):  # type: ignore[misc]
    pass
