"""Authenticate callers and count their calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from qa.errors import Unauthorized
from qa.service.guesses import GuessLimit
from qa.service.keys import ANONYMOUS, Key, Keys
from qa.service.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class Callers:
    """Identifies callers by their keys, or by their addresses where no key is required."""

    keys: Keys
    rate_limit: RateLimit
    guesses: GuessLimit = field(default_factory=GuessLimit)

    def authenticate(self, authorization: str | None, x_api_key: str | None, address: str) -> Key:
        """Return the key that a request carries in its headers.

        Raises:
            Unauthorized: a key is required, and the request carries none or an unknown one.
            RateLimited: the address has sent too many unknown keys.
            Unavailable: a key is required, and the keys cannot be read.
        """
        if not self.keys.required():
            return ANONYMOUS
        credentials = f"{authorization or ''}\n{x_api_key or ''}"
        has_key = bool(credentials.strip())
        if has_key:
            self.guesses.check(address, credentials)
        try:
            key = self.keys.authenticate(authorization, x_api_key)
        except Unauthorized:
            # A request without a key is not a guess.
            if has_key:
                self.guesses.record_unknown(address)
            raise
        self.guesses.record_accepted(address, credentials)
        return key

    def identify(self, key: Key, address: str) -> str:
        """Return a string that identifies the caller."""
        return address if key is ANONYMOUS else key.sha256

    def count(self, key: Key, address: str) -> None:
        """Count a call.

        Raises:
            RateLimited: the caller has reached its rate limit.
        """
        self.rate_limit.count(self.identify(key, address))
