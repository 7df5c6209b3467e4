from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Video integrations"

    def ready(self) -> None:
        from integrations.matching import receivers, rematch_runs  # noqa: F401 - connects the receivers
        from integrations.meetings import reconciliation, requests  # noqa: F401 - connects the receivers
