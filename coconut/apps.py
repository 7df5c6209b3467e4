from django.apps import AppConfig


class CoconutConfig(AppConfig):
    name = "coconut"

    def ready(self) -> None:
        from coconut import checks  # noqa: F401 - registers the checks
