"""Limits on connections: how many, how long request headers may take, and how long a response may wait for its client.

uvicorn has no such limits. Its `limit_concurrency` counts connections too, but rejects every client above the limit: a
client that opens connections and sends nothing would lock out all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from qa.service.problems import problem

# Seconds for a client to receive more of a response.
_WRITE_SECONDS = 60.0
# Seconds for bodies that are still arriving when the server stops.
_STOPPING_BODY_SECONDS = 5.0
_RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on the connections of one process.

    Attributes:
        total: maximum number of connections.
        per_address: maximum number of connections from one address.
        header_seconds: time for the headers of a request to arrive, and for the rest of a body that is not read.
        proxies: networks of proxies, which may have more connections than `per_address`.
    """

    total: int
    per_address: int
    header_seconds: float
    proxies: frozenset[IPv4Network | IPv6Network] = frozenset()

    def applies_to(self, address: str | None) -> bool:
        """Return whether `per_address` applies to an address: a proxy has the connections of many clients."""
        return not address or not any(ip_address(address) in network for network in self.proxies)


class LimitedConnection(H11Protocol):
    """A connection, as uvicorn's protocol, with limits.

    When there are too many connections, the one that has waited longest for a request is closed. A client that sends
    its request at once is served, however many connections others hold open without sending.

    Attributes:
        waiting_since: time of the event loop since when the connection waits for a request; None while a request is
            being answered.
    """

    def __init__(self, *args: Any, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self.waiting_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Accept the connection, or close one if there are too many."""
        super().connection_made(transport)
        self._wait_for_request()
        open_connections = [other for other in self.connections if not other.transport.is_closing()]
        neighbours = [other for other in open_connections if _address(other) == _address(self)]
        if len(neighbours) > self._limits.per_address and self._limits.applies_to(_address(self)):
            self._close_longest_waiting(neighbours, f"{self._limits.per_address:,} from one address")
        elif len(open_connections) > self._limits.total:
            self._close_longest_waiting(open_connections, f"{self._limits.total:,}")

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request."""
        super().data_received(data)
        if self.transport.is_closing() or self._is_answering():
            self._stop_waiting()
        else:
            self._wait_for_request()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the rest of a body that was not read."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self._is_answering():
            self.waiting_since = self.loop.time()
            # uvicorn's own timer closes a connection that is idle; one that still sends a body is not.
            if self.conn.their_state is not h11.IDLE:
                self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the deadline for the client to receive more."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(_WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Cancel the deadline."""
        if self._write_deadline:
            self._write_deadline.cancel()
            self._write_deadline = None
        super().resume_writing()

    def shutdown(self) -> None:
        """Finish the running request, but wait for its body only for a short time."""
        super().shutdown()
        if self._is_answering() and self.cycle.more_body:
            self.loop.call_later(_STOPPING_BODY_SECONDS, self._close_if_body_is_missing)

    def _close_if_body_is_missing(self) -> None:
        if self.cycle.more_body:
            self.transport.abort()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_request(self) -> None:
        if self._deadline is None:
            self.waiting_since = self.loop.time()
            self._deadline = self.loop.call_later(self._limits.header_seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.waiting_since = None

    def _close_longest_waiting(self, connections: Iterable[asyncio.Protocol], limit: str) -> None:
        """Close the connection that has waited longest for a request; refuse this one if no other waits."""
        waiting = [
            (other.waiting_since, id(other), other)
            for other in connections
            if isinstance(other, LimitedConnection) and other is not self and other.waiting_since is not None
        ]
        if waiting:
            min(waiting)[2].transport.abort()
            return
        detail = f"too many connections: {limit} are open, the maximum; retry in {_RETRY_AFTER_S} s"
        response = problem(503, detail, headers={"Retry-After": str(_RETRY_AFTER_S), "Connection": "close"})
        for event in (
            h11.Response(status_code=503, headers=response.raw_headers),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _address(connection: Any) -> str | None:
    client: tuple[str, int] | None = connection.client
    return client[0] if client else None
