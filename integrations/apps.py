from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Video integrations"

    def ready(self) -> None:
        from integrations import meetings, receivers, reconciling  # noqa: F401 - connects the receivers
