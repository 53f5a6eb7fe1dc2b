"""Turn errors into problem documents (RFC 9457) that name the field and the limit."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from qa.errors import ClientDisconnected, QAError, RetryLater, Unauthorized
from qa.service.headers import SECURITY_HEADERS
from qa.wire.base import STATUS, Problem
from qa.wire.documents import MANY, ONE

# Not a standard status; nginx uses it for the same case.
CLIENT_CLOSED_REQUEST = 499

RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "content": {"application/problem+json": {}}, "description": HTTPStatus(code).phrase}
    for code in (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
}


def problem(
    status: int, detail: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a response with a problem document."""
    # A request may contain lone surrogates, which cannot be encoded in a response.
    detail = detail.encode("utf-8", "backslashreplace").decode()
    field = field and field.encode("utf-8", "backslashreplace").decode()
    content = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, field=field).model_dump()
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def problem_from(error: QAError) -> JSONResponse:
    """Return the response for an error."""
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    headers = {}
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.message, error.field, headers)


def install(app: FastAPI) -> None:
    """Add exception handlers that turn every error into a problem document."""

    @app.exception_handler(QAError)
    async def _handle_qa_error(_: Request, error: QAError) -> JSONResponse:
        return problem_from(error)

    @app.exception_handler(ClientDisconnected)
    async def _handle_disconnect(_: Request, __: ClientDisconnected) -> Response:
        # The client does not receive it; the status separates these requests from errors in the metrics.
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(RequestValidationError)
    async def _handle_validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if isinstance(error.body, bytes):
            # FastAPI does not parse a body that is not declared as JSON.
            return problem(415, "the body must be JSON; send `Content-Type: application/json`", "body")
        if first["type"] == "json_invalid":
            reason = first.get("ctx", {}).get("error", first["msg"])
            return problem(400, f"the body is not valid JSON: {reason}", "body")
        field = ".".join(str(part) for part in first["loc"][1:] if part not in (ONE, MANY)) or str(first["loc"][0])
        return problem(422, f"{field}: {first['msg']}", field)

    @app.exception_handler(HTTPException)
    async def _handle_http_exception(request: Request, error: HTTPException) -> JSONResponse:
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            # The router names only the methods of the first route with this path.
            methods = {method.strip() for method in headers.get("allow", "").split(",") if method.strip()}
            headers["allow"] = ", ".join(sorted(methods | _methods(app, request.url.path)))
        # These are raised while the body is read.
        field = "body" if error.status_code in (400, 408, 413, 503) else None
        cause = error.__cause__
        if isinstance(cause, UnicodeDecodeError):
            return problem(400, f"the body is not valid UTF-8 (byte {cause.start})", field)
        if isinstance(cause, RecursionError | ValueError):
            return problem(400, f"the body is not valid JSON: {cause}", field)
        return problem(error.status_code, str(error.detail), field, headers)

    @app.exception_handler(Exception)
    async def _handle_unexpected_error(_: Request, __: Exception) -> JSONResponse:
        # The server logs the traceback; clients must not see it.
        return problem(500, "internal server error; see the server log", headers=SECURITY_HEADERS)


def _methods(app: FastAPI, path: str) -> set[str]:
    """Return the methods of all routes that match a path."""
    paths = app.openapi()["paths"].items()
    return {method.upper() for pattern, calls in paths if compile_path(pattern)[0].match(path) for method in calls}
