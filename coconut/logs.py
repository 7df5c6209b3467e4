"""Keep secrets that travel in addresses out of the logs."""

import logging
import re

# Join and manage tokens open an appointment to whoever holds them; the callback's query holds Microsoft's code.
# So does the link that sets a password.
_TOKEN = re.compile(r"(/(?:join|appointments|meet|password/set/[^/\s]+)/)[A-Za-z0-9_-]{8,}")
_CALLBACK = re.compile(r"(/callback/\?)\S+")


def mask(text: str) -> str:
    """Return the text with join tokens, manage tokens and callback queries replaced by `***`."""
    return _CALLBACK.sub(r"\1***", _TOKEN.sub(r"\1***", text))


class MaskSecrets(logging.Filter):
    """Mask the finished message, whichever way its arguments were given."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(record.getMessage())
        record.args = None
        return True
