from django.apps import AppConfig


class CoconutConfig(AppConfig):
    name = "coconut"

    def ready(self) -> None:
        from django.core.signals import request_finished

        from coconut import checks, log_context, worker_metrics  # noqa: F401 - connect checks and receivers

        request_finished.connect(log_context.end)
