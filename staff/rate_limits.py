"""How often somebody may try something: counters in the cache, which end by themselves.

Ours, as what there is does not fit: DRF's throttles lose counts when many ask at once, and django-axes has one
limit for every key and stops with the cache.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
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

# Whoever has one IPv6 address has the whole network around it.
_IPV6_PREFIX = 64


@dataclass(frozen=True)
class Limit:
    """At most `times` in each stretch of `seconds`, counted apart for each key."""

    name: str
    times: int
    seconds: int

    def take(self, key: object) -> bool:
        """Count one more. Was it within the limit? Raises RedisError."""
        name = self._name_of(key)
        cache.add(name, 0, self.seconds)
        try:
            taken = int(cache.incr(name))
        except ValueError:
            # The counter ended between the two lines.
            return True
        if taken == self.times + 1:
            logger.warning("The limit %s is reached: %d in %d seconds.", self.name, self.times, self.seconds)
        return taken <= self.times

    def give_back(self, key: object) -> None:
        """Count one less, as the last one does not matter. Raises RedisError."""
        with suppress(ValueError):  # the counter has ended
            cache.decr(self._name_of(key))

    def forget(self, key: object) -> None:
        """Start again at none. Raises RedisError."""
        cache.delete(self._name_of(key))

    def ends_in(self) -> int:
        """In how many seconds everybody starts again at none."""
        return self.seconds - int(time()) % self.seconds

    def _name_of(self, key: object) -> str:
        # Each stretch has its own counter: one that was left without an end can stop nobody for longer.
        stretch = int(time() // self.seconds)
        return f"{self.name}:{stretch}:{sha256(repr(key).encode()).hexdigest()}"


def used_up(*counts: tuple[Limit, object]) -> Limit | None:
    """Count one more of each, up to the first that is used up, and return that one. Without a cache, none is."""
    with cache_may_be_down():
        return next((limit for limit, key in counts if not limit.take(key)), None)
    return None


def within(*counts: tuple[Limit, object]) -> bool:
    """Count one more of each, up to the first that is used up. False where one is; without a cache, none is.

    Ask before trying, so that many attempts at once get no further than one after the other.
    """
    return used_up(*counts) is None


@contextmanager
def cache_may_be_down() -> Iterator[None]:
    """Leave the block, and let people go on, where the cache does not answer."""
    try:
        yield
    except RedisError as error:
        logger.warning("The cache cannot be reached, so nothing is counted: %s", error)


def _without_port(told: str) -> str:
    """Some proxies write "192.0.2.7:51834" and "[2001:db8::7]:51834", with another port for each connection."""
    if told.startswith("["):
        return told[1:].partition("]")[0]
    return told.partition(":")[0] if told.count(":") == 1 else told


def client_address(request: HttpRequest) -> str:
    """Whom to count: the address behind the proxies that the deployment declares, of IPv6 the network."""
    told = BaseThrottle().get_ident(request) or ""  # type: ignore[arg-type]
    try:
        address = ip_address(_without_port(told))
    except ValueError:
        return told
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        # All of these are in one network, that of nobody.
        return str(address.ipv4_mapped)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))
