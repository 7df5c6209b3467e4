"""Rate limits with counters in the cache. Without a cache, no limit applies.

No library fits: DRF's throttles lose counts under concurrent requests, and django-axes has one limit for all keys and
fails without a cache.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network
from time import time

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

# The owner of an IPv6 address usually has its whole /64 network.
_IPV6_PREFIX = 64


@dataclass(frozen=True)
class Limit:
    """At most `times` in each window of `seconds`, counted separately for each key."""

    name: str
    times: int
    seconds: int

    def take(self, key: object) -> bool:
        """Count one more. Return whether it is within the limit. Raises RedisError."""
        name = self._cache_key(key)
        cache.add(name, 0, self.seconds)
        try:
            taken = int(cache.incr(name))
        except ValueError:
            # The counter expired between the two calls.
            return True
        if taken == self.times + 1:
            logger.warning("The limit %s is reached: %d in %d seconds.", self.name, self.times, self.seconds)
        return taken <= self.times

    def give_back(self, key: object) -> None:
        """Count one less. Raises RedisError."""
        with suppress(ValueError):  # The counter has expired.
            cache.decr(self._cache_key(key))

    def reset(self, key: object) -> None:
        """Start again at zero. Raises RedisError."""
        cache.delete(self._cache_key(key))

    def seconds_left(self) -> int:
        """Return the seconds until the window ends and all counters start again at zero."""
        return self.seconds - int(time()) % self.seconds

    def _cache_key(self, key: object) -> str:
        # A counter per window: one that lost its expiry must not block anyone for longer.
        window = int(time() // self.seconds)
        return f"{self.name}:{window}:{sha256(repr(key).encode()).hexdigest()}"


def exceeded_limit(*counts: tuple[Limit, object]) -> Limit | None:
    """Count one more of each limit, or return the first that is exceeded. The limits before it then don't count."""
    with cache_may_be_down():
        for number, (limit, key) in enumerate(counts):
            if not limit.take(key):
                give_back_all(counts[:number])
                return limit
    return None


def give_back_all(counts: Iterable[tuple[Limit, object]]) -> None:
    """Count one less of each limit. Raises RedisError."""
    for limit, key in counts:
        limit.give_back(key)


def is_within(*counts: tuple[Limit, object]) -> bool:
    """Count one more of each limit, and return whether none is exceeded; see `exceeded_limit`.

    Call it before the attempt, so that concurrent attempts are limited as consecutive ones are.
    """
    return exceeded_limit(*counts) is None


@contextmanager
def cache_may_be_down() -> Iterator[None]:
    """Leave the block without an error if the cache doesn't answer."""
    try:
        yield
    except RedisError as error:
        logger.warning("The cache cannot be reached, so no limit applies: %s", error)


def _without_port(address: str) -> str:
    """Remove the port, which some proxies add: "192.0.2.7:51834", "[2001:db8::7]:51834"."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def client_address(request: HttpRequest) -> str:
    """Return the client's address behind TRUSTED_PROXIES, or its network for IPv6."""
    identity = BaseThrottle().get_ident(request) or ""  # type: ignore[arg-type]
    try:
        address = ip_address(_without_port(identity))
    except ValueError:
        return identity
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        # All mapped addresses are in the same /64 network.
        return str(address.ipv4_mapped)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))
