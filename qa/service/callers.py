"""Authenticate callers and count their calls."""

from __future__ import annotations

from dataclasses import dataclass

from qa.service.keys import ANONYMOUS, Key, Keys
from qa.service.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class Callers:
    """Identifies callers by their keys, or by their addresses where no key is required."""

    keys: Keys
    rate_limit: RateLimit

    def authenticate(self, authorization: str | None, x_api_key: str | None) -> Key:
        """Return the key that a request carries in its headers.

        Raises:
            Unauthorized: a key is required, and the request carries none or an unknown one.
        """
        return self.keys.authenticate(authorization, x_api_key)

    def identify(self, key: Key, address: str) -> str:
        """Return a string that identifies the caller."""
        return address if key is ANONYMOUS else key.sha256

    def count(self, key: Key, address: str) -> None:
        """Count a call.

        Raises:
            RateLimited: the caller has reached its rate limit.
        """
        self.rate_limit.count(self.identify(key, address))
