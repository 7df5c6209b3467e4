"""Pages to list, add and edit staff members."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from staff.access import admin_only, current_member, current_organization, not_for_schedulers
from staff.forms.people import AddPersonForm, PeopleFilter, PersonForm
from staff.models import StaffMember
from staff.pagination import list_context
from staff.people import person_or_404, search, visible_to
from staff.sessions.current import keep_session
from staff.sessions.password_check import PasswordCheckForm
from staff.views.passwords import send_link
from staff.views.planned_changes import Saving, save_form, save_or_ask


@require_GET
@not_for_schedulers
def staff_list(request: HttpRequest) -> HttpResponse:
    """List all staff members for admins, only themselves for others."""
    filters = PeopleFilter(request.GET, organization=current_organization(request))
    rows = search(visible_to(current_member(request)), **filters.criteria).select_related("location")
    return render(request, "staff/list.html", {"filters": filters, **list_context(request, rows)})


@require_http_methods(["GET", "POST"])
@admin_only
def add_person(request: HttpRequest) -> HttpResponse:
    """Add a staff member to the organisation, and go on to the working hours."""
    person = StaffMember(organization=current_organization(request))
    form = AddPersonForm(request.POST or None, instance=person)
    password_check = PasswordCheckForm(
        request,
        hint=_("Only needed if you add an admin. We ask again after 15 minutes."),
        is_needed=form.is_bound and form.adds_admin,
    )
    if form.is_valid() and password_check.is_valid() and form.save_or_explain():
        messages.success(request, _("Saved. Now add the working hours."))
        if form.cleaned_data["invite"] and person.is_active:
            send_link(request, person)
        return redirect("staff-hours", person.pk)
    return render(request, "staff/add.html", {"form": form, "password_check": password_check})


@require_http_methods(["GET", "POST"])
@admin_only
def edit_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a staff member of the organisation."""
    member = current_member(request)
    person = person_or_404(member, pk)
    name = person.name
    form = PersonForm(request.POST or None, instance=person)
    password_check = PasswordCheckForm(
        request,
        hint=_("Only needed if you change the email or the role. We ask again after 15 minutes."),
        is_needed=form.is_bound and form.changes_sign_in,
    )
    saving = Saving()
    if form.is_valid() and password_check.is_valid():
        saving = save_or_ask(request, partial(save_form, form))
    if saving.is_saved:
        if person == member and "email" in form.changed_data and "role" not in form.changed_data:
            keep_session(request, person)
        return redirect(saving.next_page or reverse("staff-edit", args=[person.pk]))
    if saving.page is not None:
        return saving.page
    context = {"form": form, "password_check": password_check, "person": person, "name": name}
    return render(request, "staff/edit.html", context)
