"""Events about services and assignments in the audit log."""

from __future__ import annotations

from django.urls import reverse

from services import audit
from services.models import MeetingMethod
from tests.audit_log import entry_of, event_of, events_of
from tests.factories import make_service


def details(**changes: str) -> dict[str, str]:
    return {
        "name": "Mortgage review",
        "duration": "30",
        "buffer_before": "0",
        "buffer_after": "0",
        "minimum_notice": "0",
        "booking_horizon_days": "90",
        "start_step": "15",
        "active": "on",
        "public": "on",
        **changes,
    }


def test_a_new_service_is_recorded(as_ada, ada, maple):
    as_ada.post(reverse("service-add"), details())

    event = event_of(audit.SERVICE_ADDED)
    assert (event.actor, event.organization, event.subject_name) == (ada, maple, "Mortgage review")


def test_a_changed_service_is_recorded_before_and_after(as_ada, maple):
    service = make_service(maple)

    as_ada.post(reverse("service-edit", args=[service.pk]), details(duration="45", public=""))

    assert entry_of(audit.SERVICE_CHANGED).details == "Duration (minutes): 30 → 45; Bookable by clients: yes → no"


def test_switching_a_service_off_and_on_is_recorded(as_ada, maple):
    service = make_service(maple)

    as_ada.post(reverse("service-edit", args=[service.pk]), details(active=""))
    as_ada.post(reverse("service-edit", args=[service.pk]), details())

    assert event_of(audit.SERVICE_SWITCHED_OFF).pk < event_of(audit.SERVICE_SWITCHED_ON).pk
    assert events_of(audit.SERVICE_CHANGED) == []


def test_a_taken_name_is_not_recorded(as_ada, maple):
    make_service(maple, "Loan")
    service = make_service(maple)

    as_ada.post(reverse("service-edit", args=[service.pk]), details(name="Loan"))

    assert events_of(audit.SERVICE_CHANGED) == []


def test_changed_meeting_methods_are_recorded(as_ada, maple):
    service = make_service(maple, methods=(MeetingMethod.AT_LOCATION,))

    as_ada.post(reverse("service-more", args=[service.pk]), {"method_3": "on", "offered_to_3": "staff"})

    assert entry_of(audit.METHODS_CHANGED).details == "At location (Staff and clients) → Video Call (Staff only)"


def test_meeting_methods_that_stay_are_not_recorded(as_ada, maple):
    service = make_service(maple, methods=(MeetingMethod.PHONE,))

    as_ada.post(reverse("service-more", args=[service.pk]), {"method_2": "on", "offered_to_2": "staff_and_clients"})

    assert events_of(audit.METHODS_CHANGED) == []


def test_assignments_from_a_services_page_are_recorded_for_each_person(as_ada, ada, sam, sky, maple):
    service = make_service(maple, provided_by=(ada, sky))

    as_ada.post(
        reverse("service-staff", args=[service.pk]),
        {"shown": [ada.pk, sam.pk, sky.pk], "people": [sam.pk, sky.pk]},
    )

    added, removed = entry_of(audit.SERVICE_ASSIGNED), entry_of(audit.SERVICE_UNASSIGNED)
    assert (added.subject, added.details) == ("Sam Okafor", "Mortgage review")
    assert (removed.subject, removed.details) == ("Ada Lovell", "Mortgage review")


def test_assignments_from_a_persons_page_are_recorded(as_ada, sam, maple):
    make_service(maple, provided_by=(sam,))
    loan = make_service(maple, "Loan")

    as_ada.post(reverse("staff-services", args=[sam.pk]), {"services": [loan.pk]})

    assert entry_of(audit.SERVICE_ASSIGNED).details == "Loan"
    assert entry_of(audit.SERVICE_UNASSIGNED).details == "Mortgage review"


def test_assignments_that_stay_are_not_recorded(as_ada, sam, maple):
    service = make_service(maple, provided_by=(sam,))

    as_ada.post(reverse("staff-services", args=[sam.pk]), {"services": [service.pk]})

    assert events_of(audit.SERVICE_ASSIGNED) + events_of(audit.SERVICE_UNASSIGNED) == []
