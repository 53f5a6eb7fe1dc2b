"""The web page: ask questions, see answers in their documents, add documents, give feedback."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

_WEB = Path(__file__).parent.parent / "web"
# The page may load and run only files of this server: no inline scripts or styles, nothing from other sites. Pictures
# of pages are blobs, because the script sends the API key when it fetches them.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src blob:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


@router.get("/")
def page() -> FileResponse:
    """Return the page."""
    return _file("index.html", "text/html")


@router.get("/page.css")
def style() -> FileResponse:
    """Return the style sheet."""
    return _file("page.css", "text/css")


@router.get("/page.js")
def script() -> FileResponse:
    """Return the script."""
    return _file("page.js", "text/javascript")


def _file(name: str, media_type: str) -> FileResponse:
    # no-cache: after an upgrade, browsers must not combine the new page with an old script.
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return FileResponse(_WEB / name, media_type=media_type, headers=headers)
