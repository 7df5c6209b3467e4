"""Django admin for operators: organisations with their add-ons and first admins, and accounts of staff.

Operators are superusers without an organisation, created with `manage.py createsuperuser`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from staff.accounts.changes import record_changes
from staff.addons import addons, announce_switched_on
from staff.audit_log.differences import differences, first_values
from staff.audit_log.kinds import LOCATION_ADDED, LOCATION_CHANGED, ORGANIZATION_ADDED, ORGANIZATION_CHANGED
from staff.audit_log.record import record
from staff.forms.operators import LocationRowForm, OrganizationAddForm, OrganizationForm, addon_choices
from staff.models import ADDRESS_FIELDS, Location, Organization, OutboxEmail, StaffMember
from staff.outbox import send_again
from staff.people import save_person
from staff.sessions.operator_forms import NewPasswordForm, StaffMemberAddForm, StaffMemberChangeForm, for_request
from staff.sessions.password_check import must_enter_password
from staff.sign_in.forms import OperatorSignInForm
from staff.sign_in.passwords import enqueue_invitation

admin.site.site_header = _("Coconut for operators")
admin.site.site_title = _("Coconut")
admin.site.index_title = _("Organisations and their connections")
admin.site.login_form = OperatorSignInForm
# An operator has no page on the site.
admin.site.site_url = None
admin.site.unregister(Group)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only the product writes. Operators can view them."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(OutboxEmail)
class OutboxEmailAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "organization", "state", "attempts", "created_at", "sent_at", "error"]
    list_filter = ["state", "kind"]
    actions = ["send_again"]
    list_select_related = ["organization"]
    search_fields = ["to", "organization__name"]
    ordering = ["-created_at"]
    show_full_result_count = False
    fields = [
        "organization",
        "kind",
        "to",
        "state",
        "attempts",
        "due_at",
        "error",
        "created_at",
        "sent_at",
    ]

    @admin.action(description=_("Send again"), permissions=["view"])
    def send_again(self, request: HttpRequest, emails: QuerySet[OutboxEmail]) -> None:
        """Resend the selected emails that failed or may not have been sent."""
        resent = sum(send_again(email) for email in emails)
        self.message_user(
            request, ngettext("%d email is being sent again.", "%d emails are being sent again.", resent) % resent
        )


class LocationInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Location
    form = LocationRowForm
    fields = ["name", *ADDRESS_FIELDS, "phone", "reply_to", "time_zone", "active"]
    extra = 0
    can_delete = False


class AddOnFilter(admin.SimpleListFilter):
    """Filter organisations by an add-on that is switched on."""

    title = _("add-on")
    parameter_name = "addon"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return addon_choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Organization]) -> QuerySet[Organization]:
        return queryset.filter(addons__contains=[self.value()]) if self.value() else queryset


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "slug", "addon_labels", "staff_count", "created_at"]
    list_filter = [AddOnFilter]
    search_fields = ["name", "slug"]
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ["name"]}
    inlines = [LocationInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        organizations: QuerySet[Organization] = super().get_queryset(request)
        return organizations.annotate(staff_count=Count("staff"))

    def get_form(
        self, request: HttpRequest, obj: Organization | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form. That of a new organisation also asks for the first admin."""
        form = OrganizationForm if obj else OrganizationAddForm
        return super().get_form(request, obj, change=change, **{"form": form, **kwargs})

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        before = Organization.objects.lock(obj.pk) if change else None
        super().save_model(request, obj, form, change)
        if before is None:
            record(ORGANIZATION_ADDED, obj, name=obj.name, changes=first_values(obj, OrganizationForm.Meta.fields))
            admin = form.invite_admin()
            self.message_user(request, _("An invitation to %(email)s is on its way.") % {"email": admin.email})
        else:
            if changes := differences(before, obj, OrganizationForm.Meta.fields):
                record(ORGANIZATION_CHANGED, obj, name=obj.name, changes=changes)
            announce_switched_on(obj, previous=before.addons)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the locations, and record which are new or changed."""
        before = Location.objects.filter(organization=form.instance.pk).select_for_update().in_bulk()
        super().save_formset(request, form, formset, change)
        for location in formset.new_objects:
            record(LOCATION_ADDED, location, name=location.name)
        for location, fields in formset.changed_objects:
            changes = differences(before[location.pk], location, fields)
            record(LOCATION_CHANGED, location, name=location.name, changes=changes)

    @admin.display(description=_("add-ons"))
    def addon_labels(self, organization: Organization) -> str:
        return ", ".join(str(addon.label) for addon in addons if organization.has_addon(addon.slug))

    @admin.display(description=_("staff"), ordering="staff_count")
    def staff_count(self, organization: Any) -> int:
        return int(organization.staff_count)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Forbid it: all appointments and meetings would be deleted with the organisation."""
        return False


@admin.register(StaffMember)
class StaffMemberAdmin(UserAdmin):  # type: ignore[type-arg]
    """Staff accounts: search, password reset, switch off. The organisation never changes."""

    form = StaffMemberChangeForm
    add_form = StaffMemberAddForm
    change_password_form = NewPasswordForm
    change_user_password_template = "staff/operator_password.html"  # noqa: S105 - a template
    add_fieldsets = [
        (
            None,
            {
                "fields": ["email", "organization", "role", "first_name", "last_name"],
                "description": _("The person gets an invitation to set a password."),
            },
        ),
    ]
    fieldsets = [
        (None, {"fields": ["email", "password", "is_active"]}),
        (_("Person"), {"fields": ["organization", "role", "first_name", "last_name", "username"]}),
        (_("Times"), {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["organization", "last_login", "date_joined"]
    list_display = ["email", "name", "organization", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active", "is_superuser"]
    list_select_related = ["organization"]
    search_fields = ["email", "username", "first_name", "last_name", "organization__name"]
    ordering = ["email"]
    filter_horizontal = []

    def save_model(self, request: HttpRequest, obj: StaffMember, form: Any, change: bool) -> None:
        """Save the account, and record and announce the change as the page of an admin does."""
        if not change:
            self._invite(request, obj)
            return
        before = StaffMember.objects.lock(obj.pk)
        super().save_model(request, obj, form, change)
        record_changes(before, obj)

    def _invite(self, request: HttpRequest, person: StaffMember) -> None:
        """Add the account without a password, and email the invitation."""
        save_person(person, ())
        enqueue_invitation(person)
        self.message_user(request, _("An invitation to %(email)s is on its way.") % {"email": person.email})

    def get_form(
        self, request: HttpRequest, obj: StaffMember | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Give the form the request, whose session tells when the operator entered the password."""
        return for_request(super().get_form(request, obj, change=change, **kwargs), request)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's URL passes it by name
        form_url: str = "",
    ) -> HttpResponse:
        """Give the form of a new password the request, too."""
        # A copy, because all threads share this object.
        for_this_request = copy(self)
        for_this_request.change_password_form = for_request(NewPasswordForm, request)
        return super(StaffMemberAdmin, for_this_request).user_change_password(request, id, form_url)

    def get_fieldsets(self, request: HttpRequest, obj: StaffMember | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if not must_enter_password(request):
            return fieldsets
        return [*fieldsets, (_("Confirmation"), {"fields": ["current_password"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: StaffMember | None = None) -> list[str]:
        return [] if obj is None else ["organization", "last_login", "date_joined"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Forbid it: appointments refer to the staff member. Operators switch the account off instead."""
        return False
