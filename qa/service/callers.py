"""Who calls, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from qa.service.keys import ANYONE, Key, Keys
from qa.service.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells callers apart: by their keys, or where none is needed by their addresses."""

    keys: Keys
    rates: RateLimit

    def known(self, authorization: str | None, x_api_key: str | None) -> Key:
        """Return what a request may do by its headers.

        Raises:
            Unauthorized: a key is needed, and it carries none that is known.
        """
        return self.keys.bearer(authorization, x_api_key)

    def who(self, caller: Key, address: str) -> str:
        """Return what a caller is known by."""
        return address if caller is ANYONE else caller.sha256

    def count(self, caller: Key, address: str) -> None:
        """Count a call.

        Raises:
            RateLimited: it is one too many.
        """
        self.rates.count(self.who(caller, address))
