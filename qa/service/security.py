"""Keys: when any are set, every call under /v1 must carry one."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from qa.errors import Unauthorized


def check_key(keys: Collection[str], authorization: str | None, x_api_key: str | None) -> None:
    """Accept `Authorization: Bearer KEY` or `X-API-Key: KEY`; without any keys set, accept everything.

    Raises:
        Unauthorized: there are keys, and the request carries none of them.
    """
    if not keys:
        return
    scheme, _, token = (authorization or "").partition(" ")
    given = [value for value in (token.strip() if scheme.lower() == "bearer" else "", x_api_key or "") if value]
    # All are compared, each in constant time: neither a key nor its place in the list can be found by timing.
    # Headers come decoded as Latin-1, whatever was sent.
    matches = [hmac.compare_digest(key.encode(), value.encode("latin-1", "replace")) for key in keys for value in given]
    if not any(matches):
        raise Unauthorized("a valid key is needed: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
