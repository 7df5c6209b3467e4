from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Video integrations"

    def ready(self) -> None:
        from integrations import meetings, reconciling  # noqa: F401 - connects the receivers
        from integrations.matching import receivers  # noqa: F401 - connects the receivers
