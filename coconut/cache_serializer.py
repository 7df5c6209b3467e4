"""Values of the cache as JSON: Django's default, pickle, would run code that someone else put into Redis."""

from __future__ import annotations

import json
from typing import Any


class JsonSerializer:
    """A serializer for Django's RedisCache."""

    def dumps(self, value: Any) -> bytes | int:
        # Redis counts only with plain numbers. The type of True is another one.
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        """Return the value, or None if it isn't JSON: then another program wrote it."""
        try:
            return json.loads(stored)
        except (ValueError, RecursionError):
            return None
