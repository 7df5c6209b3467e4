"""Video Calls switches of the dashboard: for one person, for many, and Undo."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.dashboard.counts import count_users
from integrations.dashboard.rows import user_rows
from integrations.dashboard.search import TableFilter, filtered_users
from integrations.hooks import notices_of
from integrations.hosting.video_calls_switch import (
    SwitchChange,
    recent_switch_changes,
    set_video_calls,
    undo_video_calls,
)
from integrations.models import Connection
from integrations.platforms.registry import platform_of
from integrations.views.access import is_htmx, while_connected
from integrations.views.dashboard import back_to_dashboard
from staff.access import admin_only, current_member
from staff.models import StaffMember


@admin_only
@require_POST
@while_connected
def toggle(request: HttpRequest, connection: Connection, staff_pk: int) -> HttpResponse:
    """Turn Video Calls on or off for one person."""
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    staff, on = StaffMember.objects.filter(pk=person.pk), request.POST.get("on") == "true"
    set_video_calls(connection, staff, on=on, actor=current_member(request))
    if not is_htmx(request):
        return back_to_dashboard(connection, request.POST.get("back", ""))
    context = {
        "connection": connection,
        "row": user_rows(connection, [person])[0],
        "counts": count_users(connection),
        "notices": notices_of(connection.organization),
        "query": request.POST.get("back", ""),
        "platform": platform_of(connection),
    }
    return render(request, "integrations/dashboard/_user_row_update.html", context)


@admin_only
@require_POST
@while_connected
def switch_many(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Turn Video Calls on or off for the selected users, or for all that the search and the filter keep."""
    if not {"all", "staff"} & request.POST.keys():
        messages.info(request, _("Nobody is selected. Tick the users, or the box above them for all of them."))
        return back_to_dashboard(connection, request.POST.get("back", ""))
    on = request.POST.get("on") == "true"
    selected = _selected_users(connection, request.POST)
    change = set_video_calls(connection, selected, on=on, actor=current_member(request))
    _add_switch_message(request, connection, change, _switched_sentence(change))
    return back_to_dashboard(connection, request.POST.get("back", ""))


@admin_only
@require_POST
@while_connected
def undo(request: HttpRequest, connection: Connection, event_pk: int) -> HttpResponse:
    """Undo one switch change for everyone who was not switched again since."""
    event = get_object_or_404(recent_switch_changes(connection), pk=event_pk)
    change = undo_video_calls(event, current_member(request))
    _add_switch_message(request, connection, change, _undone_sentence(change))
    return back_to_dashboard(connection, request.POST.get("back", ""))


def _selected_users(connection: Connection, form: QueryDict) -> QuerySet[StaffMember]:
    listed = filtered_users(connection, TableFilter(QueryDict(form.get("back", ""))))
    if form.get("all") == "true":
        return listed
    # A number with more digits is not a database id.
    selected = [int(value) for value in form.getlist("staff") if value.isdecimal() and len(value) < 19]
    return listed.filter(pk__in=selected)


def _add_switch_message(request: HttpRequest, connection: Connection, change: SwitchChange, sentence: str) -> None:
    """Add a message with an Undo button."""
    context = {
        "connection": connection,
        "event": change.event,
        "sentence": sentence,
        "back": request.POST.get("back", ""),
    }
    add_message = messages.success if change.people else messages.info
    add_message(request, render_to_string("integrations/dashboard/_switch_result.html", context, request))


def _switched_sentence(change: SwitchChange) -> str:
    if not change.people:
        return (
            _("Nothing has changed: Video Calls was on already.")
            if change.on
            else _("Nothing has changed: Video Calls was off already.")
        )
    sentence = (
        ngettext(
            "Video Calls is on for %(count)d more person.",
            "Video Calls is on for %(count)d more people.",
            change.people,
        )
        if change.on
        else ngettext(
            "Video Calls is off for %(count)d more person.",
            "Video Calls is off for %(count)d more people.",
            change.people,
        )
    )
    return sentence % {"count": change.people}


def _undone_sentence(change: SwitchChange) -> str:
    if not change.people:
        return _("There is nothing left to undo.")
    sentence = (
        ngettext(
            "Undone. Video Calls is on again for %(count)d person.",
            "Undone. Video Calls is on again for %(count)d people.",
            change.people,
        )
        if change.on
        else ngettext(
            "Undone. Video Calls is off again for %(count)d person.",
            "Undone. Video Calls is off again for %(count)d people.",
            change.people,
        )
    )
    return sentence % {"count": change.people}
