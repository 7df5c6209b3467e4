from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "appointments"
    verbose_name = "Appointments"

    def ready(self) -> None:
        from appointments.changes.switch_service import switch_notice
        from appointments.video import receivers  # noqa: F401 - connects the receivers
        from appointments.video.meeting_pages import appointment_pages
        from appointments.video.notices import missing_links, other_links
        from appointments.video.reconciliation import Appointments
        from integrations import owners, panels, whereabouts
        from services import hooks as service_panels

        whereabouts.register(appointment_pages)
        owners.register(Appointments())
        panels.register(missing_links)
        panels.register(other_links)
        service_panels.register(switch_notice)
