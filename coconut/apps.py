from django.apps import AppConfig


class CoconutConfig(AppConfig):
    name = "coconut"

    def ready(self) -> None:
        from django.core.signals import request_finished

        from coconut import checks, log_context  # noqa: F401 - registers the checks

        request_finished.connect(log_context.end)
