"""Email providers that django-anymail can send through instead of SMTP, and what each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class EmailProvider:
    """Names of required settings of django-anymail, and the view that takes the provider's events."""

    required: tuple[str, ...]
    webhook: str


#: By the name in EMAIL_PROVIDER, which is the name of django-anymail's backend.
PROVIDERS: Final[Mapping[str, EmailProvider]] = {
    "brevo": EmailProvider(("BREVO_API_KEY",), "anymail.webhooks.brevo.BrevoTrackingWebhookView"),
    "mailgun": EmailProvider(
        ("MAILGUN_API_KEY", "MAILGUN_WEBHOOK_SIGNING_KEY"), "anymail.webhooks.mailgun.MailgunTrackingWebhookView"
    ),
    "mailjet": EmailProvider(
        ("MAILJET_API_KEY", "MAILJET_SECRET_KEY"), "anymail.webhooks.mailjet.MailjetTrackingWebhookView"
    ),
    "postmark": EmailProvider(("POSTMARK_SERVER_TOKEN",), "anymail.webhooks.postmark.PostmarkTrackingWebhookView"),
    "sendgrid": EmailProvider(("SENDGRID_API_KEY",), "anymail.webhooks.sendgrid.SendGridTrackingWebhookView"),
    "sparkpost": EmailProvider(("SPARKPOST_API_KEY",), "anymail.webhooks.sparkpost.SparkPostTrackingWebhookView"),
}
#: Of EMAIL_WEBHOOK_SECRET, "user:password".
SHORTEST_SECRET: Final = 20


def provider_problems(name: str, values: Mapping[str, object], secret: str) -> list[str]:
    """Return a sentence for each reason why the provider can't be used; an empty list without a provider."""
    if not name:
        return []
    if name not in PROVIDERS:
        return [f"EMAIL_PROVIDER is unknown: {name!r}. Use one of {', '.join(PROVIDERS)}, or remove it to use SMTP."]
    problems = [
        f"EMAIL_PROVIDER_SETTINGS has no {required}."
        for required in PROVIDERS[name].required
        if not values.get(required)
    ]
    if len(secret) < SHORTEST_SECRET or not all(secret.partition(":")):
        problems.append(f"EMAIL_WEBHOOK_SECRET must be user:password, of at least {SHORTEST_SECRET} characters.")
    return problems
