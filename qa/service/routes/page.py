"""The page: ask, and see the answer where it stands."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).parent.parent / "web" / "index.html"
# Everything the page needs is in the page: nothing from elsewhere may run or load.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'"
)


@router.get("/")
def page() -> FileResponse:
    """Return the page."""
    return FileResponse(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})
