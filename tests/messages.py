"""Messages for tests."""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import get_language

from integrations.messages import Message, MessageCode, register_messages


def _greeting() -> str:
    return "Bonjour, %(name)s." if get_language() == "fr" else "Hello, %(name)s."


class ExampleMessage(MessageCode):
    TEXT = "example.text", "%(text)s"
    GREETING = "example.greeting", lazy(_greeting, str)()


register_messages(ExampleMessage)


def message(text: str) -> Message:
    """Return a message that renders as `text` in every language."""
    return Message(ExampleMessage.TEXT, {"text": text})
