from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "appointments"
    verbose_name = "Appointments"

    def ready(self) -> None:
        from appointments import receivers  # noqa: F401 - connects the receivers
        from appointments.whereabouts import appointment_pages
        from integrations.whereabouts import register

        register(appointment_pages)
