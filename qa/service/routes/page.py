"""The page: ask, see the answer where it stands, add documents, give feedback."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

_WEB = Path(__file__).parent.parent / "web"
# Everything the page needs comes from here: nothing from elsewhere may run or load, nor what stands in the page itself.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


@router.get("/")
def page() -> FileResponse:
    """Return the page."""
    return _file("index.html", "text/html")


@router.get("/page.css")
def style() -> FileResponse:
    """Return how it looks."""
    return _file("page.css", "text/css")


@router.get("/page.js")
def script() -> FileResponse:
    """Return what it does."""
    return _file("page.js", "text/javascript")


def _file(name: str, media_type: str) -> FileResponse:
    # After an upgrade the page and its script must be of the same version.
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return FileResponse(_WEB / name, media_type=media_type, headers=headers)
