"""Decide whether to send a request again, and turn responses into results or errors (pure)."""

from __future__ import annotations

from typing import Any, TypeVar

import httpx2
from pydantic import ValidationError

from qa.client.requests import Call
from qa.errors import InvalidInput, Overloaded, QAError, RateLimited, Unavailable
from qa.wire.base import STATUS

T = TypeVar("T")

# Seconds. A longer Retry-After is raised as an error instead of waited for.
MAX_WAIT_S = 30.0


def wait_before_retry(
    call: Call[Any], attempt: int, outcome: httpx2.Response | httpx2.HTTPError, *, retries: int, timeout_s: float
) -> float | None:
    """Return how many seconds to wait before sending a call again; None not to retry.

    Args:
        call: the call that was sent.
        attempt: how often it had been sent before.
        outcome: the response, or the error that broke the connection.
        retries: maximum number of retries.
        timeout_s: timeout of one call, in seconds.
    """
    wait = min(0.2 * 2**attempt, MAX_WAIT_S)
    if isinstance(outcome, httpx2.HTTPError):
        # The server may have carried out the request, or still be working on it.
        may_repeat = call.repeatable or isinstance(outcome, httpx2.ConnectError)
        return wait if attempt < retries and may_repeat else None
    retry_after = outcome.headers.get("Retry-After", "")
    in_progress = outcome.status_code == 409 and "Retry-After" in outcome.headers
    # An earlier attempt is still in progress: wait for it as long as for the call itself.
    if attempt >= (call.options.get("timeout", timeout_s) if in_progress else retries):
        return None
    if outcome.status_code not in (429, 503) and not retry_after:
        return None
    wait = float(retry_after) if retry_after.isdigit() else wait
    return wait if wait <= MAX_WAIT_S else None


def result_of(call: Call[T], outcome: httpx2.Response | httpx2.HTTPError, url: str) -> T:
    """Return the result of a call.

    Raises:
        QAError: the error of the engine, as the server reports it.
        Unavailable: the server cannot be reached, or is not a spanlight server.
    """
    if isinstance(outcome, httpx2.HTTPError):
        hint = "; is the server running?" if isinstance(outcome, httpx2.ConnectError) else ""
        raise Unavailable(f"{url}: {outcome}{hint}", field="url") from outcome
    if outcome.is_error:
        raise _error(outcome, url)
    try:
        return call.parse(outcome)
    except ValidationError as error:
        raise Unavailable(f"{url}: the response is not that of a spanlight server", field="url") from error


def _error(response: httpx2.Response, url: str) -> QAError:
    try:
        problem = response.json()
        detail, field = str(problem["detail"]), problem.get("field")
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, field = f"{url}: {response.status_code} {response.text[:300]}", "url"
    status = response.status_code
    retry_after = response.headers.get("Retry-After", "")
    if status == 429 or (status == 503 and retry_after):
        error = RateLimited if status == 429 else Overloaded
        return error(detail, int(retry_after) if retry_after.isdigit() else 1)
    if status == 503:
        return Unavailable(detail, field=field)
    default = InvalidInput if status < 500 else Unavailable
    return next((error for error, code in STATUS if code == status), default)(detail, field=field)
