from django.apps import AppConfig


class CoconutConfig(AppConfig):
    name = "coconut"

    def ready(self) -> None:
        from django.core.signals import request_finished

        from coconut.observability import log_context, prometheus

        # Before any import of `prometheus_client`. The app is the first in INSTALLED_APPS for this reason.
        prometheus.prepare_folder()
        from coconut import checks  # noqa: F401 - registers the checks, connects the receivers
        from coconut.observability import worker_metrics  # noqa: F401 - registers the checks, connects the receivers

        request_finished.connect(log_context.end)
