"""Errors ─► problem documents (RFC 9457), each naming the field and the limit."""

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

# As nginx has it.
CLIENT_CLOSED_REQUEST = 499

RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "content": {"application/problem+json": {}}, "description": HTTPStatus(code).phrase}
    for code in (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
}


def problem(
    status: int, detail: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem document."""
    # What came in may hold lone surrogates, which no response can carry.
    clean = detail.encode("utf-8", "backslashreplace").decode()
    where = field and field.encode("utf-8", "backslashreplace").decode()
    content = Problem(title=HTTPStatus(status).phrase, status=status, detail=clean, field=where).model_dump()
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Turn every error that a request can cause into a problem document."""

    @app.exception_handler(QAError)
    async def _ours(_: Request, error: QAError) -> JSONResponse:
        status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
        headers = {}
        if isinstance(error, RetryLater):
            headers["Retry-After"] = str(error.retry_after_s)
        if isinstance(error, Unauthorized):
            headers["WWW-Authenticate"] = "Bearer"
        return problem(status, error.message, error.field, headers)

    @app.exception_handler(ClientDisconnected)
    async def _gone(_: Request, __: ClientDisconnected) -> Response:
        # Nobody sees it; it is counted apart from errors.
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if isinstance(error.body, bytes):
            # It was not taken for JSON.
            return problem(415, "the body is not said to be JSON: `Content-Type: application/json`", "body")
        if first["type"] == "json_invalid":
            return problem(400, f"the body is not JSON: {first.get('ctx', {}).get('error', first['msg'])}", "body")
        field = ".".join(str(part) for part in first["loc"][1:] if part not in (ONE, MANY)) or str(first["loc"][0])
        return problem(422, first["msg"], field)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            # The router knows only of the first route that it met on this path.
            known = {method.strip() for method in headers.get("allow", "").split(",") if method.strip()}
            headers["allow"] = ", ".join(sorted(known | _methods(app, request.url.path)))
        # Raised where the body is read: by what counts it, or because it cannot be.
        field = "body" if error.status_code in (400, 413) else None
        reason = error.__cause__
        if isinstance(reason, UnicodeDecodeError):
            return problem(400, f"the body is not UTF-8 (byte {reason.start})", field)
        if isinstance(reason, RecursionError | ValueError):
            return problem(400, f"the body is not JSON that can be read: {reason}", field)
        return problem(error.status_code, str(error.detail), field, headers)

    @app.exception_handler(Exception)
    async def _unforeseen(_: Request, __: Exception) -> JSONResponse:
        # The server's log has the traceback; it is no business of the caller's.
        return problem(500, "an error of the server's own; its log says more", headers=SECURITY_HEADERS)


def _methods(app: FastAPI, path: str) -> set[str]:
    described = app.openapi()["paths"].items()
    return {method.upper() for pattern, calls in described if compile_path(pattern)[0].match(path) for method in calls}
