"""Keep secrets that travel in addresses out of the logs."""

import logging
import re

# Join and manage tokens open an appointment to whoever holds them; the callback's query holds Microsoft's code.
# So does the link that sets a password.
_TOKEN = re.compile(
    r"(/(?:join|appointments|meet|password/set/[^/\s]+|book/[^/\s]+/booked)/)[A-Za-z0-9_:-]{8,}"
)
_CALLBACK = re.compile(r"(/callback/\?)\S+")


def mask(text: str) -> str:
    """Return the text with join tokens, manage tokens and callback queries replaced by `***`."""
    return _CALLBACK.sub(r"\1***", _TOKEN.sub(r"\1***", text))


class MaskingFormatter(logging.Formatter):
    """Masks the finished line: the message, whichever way its arguments were given, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
