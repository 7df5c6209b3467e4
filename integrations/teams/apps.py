from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "integrations.teams"
    label = "teams"
    verbose_name = "Microsoft Teams"

    def ready(self) -> None:
        # Imported here because models must be loaded first.
        from integrations.platforms.registry import register
        from integrations.teams import checks  # noqa: F401 - registers the checks
        from integrations.teams.access_policy import notice  # noqa: F401 - connects the receiver
        from integrations.teams.platform import Teams

        register(Teams())
