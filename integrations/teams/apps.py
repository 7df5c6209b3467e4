from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "integrations.teams"
    label = "teams"
    verbose_name = "Microsoft Teams"

    def ready(self) -> None:
        # Models are loaded by now, not before.
        from integrations.platforms.registry import register
        from integrations.teams import checks  # noqa: F401 - register checks and receivers
        from integrations.teams.access_policy import notice  # noqa: F401 - register checks and receivers
        from integrations.teams.platform import Teams

        register(Teams())
