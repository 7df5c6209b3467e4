from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "integrations.teams"
    label = "teams"
    verbose_name = "Microsoft Teams"
