from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "appointments"
    verbose_name = "Appointments"

    def ready(self) -> None:
        from appointments.attention.affected import find_affected
        from appointments.attention.daily_email import ATTENTION_EMAIL
        from appointments.attention.hours import mark_left_outside
        from appointments.audit import APPOINTMENT_KINDS
        from appointments.calendar_feed import receivers as feed_receivers  # noqa: F401 - connects the receivers
        from appointments.changes.local_times import LOCAL_TIMES_EMAIL
        from appointments.changes.locations import location_sentences
        from appointments.changes.switch_service import switch_notice
        from appointments.notifications.outbox import APPOINTMENT_EMAIL, SUMMARY_EMAIL
        from appointments.notifications.reminders import REMINDER_EMAIL
        from appointments.notifications.samples import SAMPLE_EMAIL
        from appointments.video import receivers  # noqa: F401 - connects the receivers
        from appointments.video.notices import missing_links, other_links
        from appointments.video.reconciliation import AppointmentMeetings, appointment_pages
        from integrations.hooks import connection_notices, meeting_owners, meeting_pages
        from services.hooks import service_notices
        from staff.audit_log.kinds import audit_kinds
        from staff.hooks import affected_appointments, hours_observers, location_notices
        from staff.outbox import email_kinds

        meeting_pages.register(appointment_pages)
        meeting_owners.register(AppointmentMeetings())
        connection_notices.register(missing_links)
        connection_notices.register(other_links)
        service_notices.register(switch_notice)
        location_notices.register(location_sentences)
        affected_appointments.register(find_affected)
        hours_observers.register(mark_left_outside)
        email_kinds.register(APPOINTMENT_EMAIL)
        email_kinds.register(SUMMARY_EMAIL)
        email_kinds.register(REMINDER_EMAIL)
        email_kinds.register(LOCAL_TIMES_EMAIL)
        email_kinds.register(ATTENTION_EMAIL)
        email_kinds.register(SAMPLE_EMAIL)
        for kind in APPOINTMENT_KINDS:
            audit_kinds.register(kind)
