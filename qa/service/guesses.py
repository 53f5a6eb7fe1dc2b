"""Limit on guesses of keys: an address that keeps sending unknown keys has to wait, each time twice as long."""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from qa.errors import RateLimited

_FREE_GUESSES = 10
_MAX_WAIT_S = 300.0
# Seconds after which an address without further guesses is forgotten.
_FORGET_S = 900.0
_MAX_STORED = 10_000
# The part of an IPv6 address that a provider assigns; a client chooses the rest.
_IPV6_PREFIX_BITS = 64


@dataclass(slots=True)
class _Guesses:
    count: int
    last: float
    blocked_until: float


class GuessLimit:
    """Counts the unknown keys that each address sends. Used by the thread of the event loop only.

    Each worker counts for itself. Credentials that were accepted from an address stay accepted while it is blocked, so
    that a neighbour with a wrong key locks no other client out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Set the clock, which returns seconds."""
        self._clock = clock
        self._guesses: OrderedDict[str, _Guesses] = OrderedDict()
        self._accepted: OrderedDict[str, None] = OrderedDict()

    def check(self, address: str, credentials: str) -> None:
        """Check that an address may send these credentials now.

        Raises:
            RateLimited: it has sent too many unknown keys.
        """
        guesses = self._guesses.get(_client(address))
        wait = guesses.blocked_until - self._clock() if guesses else 0.0
        if wait > 0 and _fingerprint(address, credentials) not in self._accepted:
            seconds = math.ceil(wait)
            raise RateLimited(f"too many unknown API keys from this address; retry in {seconds} s", seconds)

    def record_unknown(self, address: str) -> None:
        """Count an unknown key."""
        now, client = self._clock(), _client(address)
        guesses = self._guesses.pop(client, None)
        count = 1 if guesses is None or now - guesses.last > _FORGET_S else guesses.count + 1
        excess = count - _FREE_GUESSES
        # The exponent is bounded: no float holds two to the power of a day of guesses.
        wait = min(2.0 ** min(excess, 30), _MAX_WAIT_S) if excess > 0 else 0.0
        self._guesses[client] = _Guesses(count, now, now + wait)
        _drop_oldest(self._guesses)

    def record_accepted(self, address: str, credentials: str) -> None:
        """Remember credentials that a key belongs to."""
        fingerprint = _fingerprint(address, credentials)
        self._accepted[fingerprint] = None
        self._accepted.move_to_end(fingerprint)
        _drop_oldest(self._accepted)


def _drop_oldest(stored: OrderedDict[str, _Guesses] | OrderedDict[str, None]) -> None:
    if len(stored) > _MAX_STORED:
        stored.popitem(last=False)


def _fingerprint(address: str, credentials: str) -> str:
    # Hashed, so that a dump of the memory shows no key.
    return hashlib.sha256(f"{address}\n{credentials}".encode("utf-8", "replace")).hexdigest()


def _client(address: str) -> str:
    """Return what identifies a client: its IPv4 address, or the prefix of its IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and not parsed.ipv4_mapped:
        return str(int(parsed) >> (128 - _IPV6_PREFIX_BITS))
    return address
