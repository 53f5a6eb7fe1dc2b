"""Original files and pictures of pages over HTTP, and what could not be read in uploaded files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas

from qa.service.keys import Keys
from qa.service.routes import documents
from qa.types import Document, Mark, Table
from tests.service.conftest import Opener

CLEANING = "The oil filter is cleaned every six weeks."


def make_pdf(*pages: str) -> bytes:
    """Return a PDF with a line of text on each page; a page without text is a picture of text."""
    file = io.BytesIO()
    canvas = Canvas(file, (400, 300))
    for text in pages:
        if text:
            canvas.drawString(50, 200, text)
        else:
            canvas.drawInlineImage(Image.effect_noise((200, 100), 90), 50, 50, 300, 200)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


MANUAL = make_pdf("The pump is green.", CLEANING, "")


def upload(service: TestClient, name: str, data: bytes, **form: str) -> dict[str, Any]:
    response = service.post("/v1/documents/upload", files=[("files", (name, data))], data=form)
    assert response.status_code == 200, response.text
    (file,) = response.json()["files"]
    assert file["error"] is None, file
    return dict(file)


@pytest.fixture
def without_ocr(open_service: Opener) -> TestClient:
    return open_service(ocr="off")


def test_lists_what_could_not_be_read(without_ocr: TestClient) -> None:
    file = upload(without_ocr, "manual.pdf", MANUAL)
    ((part,),) = [document["unread"] for document in file["documents"]]
    assert file["unread"] == [part]
    assert part["page"] == 3
    assert "picture" in part["reason"]
    id = file["documents"][0]["id"]
    for info in (*without_ocr.get("/v1/documents").json()["documents"], without_ocr.get(f"/v1/documents/{id}").json()):
        assert info["unread"] == [part]
        assert info["file"] == {"name": "manual.pdf", "media_type": "application/pdf", "size": len(MANUAL)}
    # An upload of the same file reports it too.
    assert upload(without_ocr, "manual.pdf", MANUAL)["documents"] == [
        {**file["documents"][0], "status": "unchanged", "unread": [part]}
    ]


def test_a_job_lists_what_could_not_be_read(without_ocr: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_SYNCHRONOUS_BYTES", 20)
    started = without_ocr.post("/v1/documents/upload", files=[("files", ("manual.pdf", MANUAL))])
    assert started.json()["files"][0]["unread"] == []
    without_ocr.get(f"{started.headers['location']}/events")
    done = without_ocr.get(started.headers["location"]).json()
    assert [part["page"] for part in done["files"][0]["unread"]] == [3]
    assert (done["state"], done["page"], done["pages"]) == ("done", None, None)


def test_lists_the_pages_that_were_recognised(service: TestClient) -> None:
    pytest.importorskip("tesserocr")
    picture = Image.new("RGB", (1_200, 300), "white")
    ImageDraw.Draw(picture).text((60, 100), "The filter is cleaned every six weeks.", "black", font_size=48)
    file = io.BytesIO()
    picture.save(file, "PNG")
    (document,) = upload(service, "scan.png", file.getvalue())["documents"]
    assert (document["ocr_pages"], document["unread"]) == ([1], [])
    body = {"question": "How often is the filter cleaned?", "min_confidence": 0}
    answer = service.post("/v1/query", json=body).json()["answers"][0]
    assert ("six weeks" in answer["answer"], answer["ocr"], answer["page"]) == (True, True, 1)
    start, end = answer["document_offset"]["start"], answer["document_offset"]["end"]
    marked = service.get(f"/v1/documents/{document['id']}/pages/1.png", params={"highlight": f"{start}-{end}"})
    (width, height), area = marked_area(marked.content)
    assert area
    assert 0.4 < area[0] / width < area[2] / width < 0.85
    assert 0.3 < area[1] / height < area[3] / height < 0.6


def test_sends_the_original_file(service: TestClient) -> None:
    (document,) = upload(service, "Bedienung – Pumpe.pdf", MANUAL)["documents"]
    path = f"/v1/documents/{document['id']}/file"
    response = service.get(path)
    sha256 = hashlib.sha256(MANUAL).hexdigest()
    assert (response.status_code, response.content) == (200, MANUAL)
    assert {name: response.headers[name] for name in (
        "content-type", "content-length", "content-disposition", "etag", "x-content-type-options",
        "content-security-policy", "cache-control", "accept-ranges",
    )} == {
        "content-type": "application/pdf",
        "content-length": str(len(MANUAL)),
        "content-disposition": "attachment; filename=\"Bedienung _ Pumpe.pdf\"; "
        "filename*=UTF-8''Bedienung%20%E2%80%93%20Pumpe.pdf",
        "etag": f'"{sha256}"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, no-cache",
        "accept-ranges": "bytes",
    }  # fmt: skip
    unchanged = service.get(path, headers={"If-None-Match": f'"{sha256}"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_sends_parts_of_the_original_file(service: TestClient) -> None:
    (document,) = upload(service, "manual.pdf", MANUAL)["documents"]
    path = f"/v1/documents/{document['id']}/file"
    part = service.get(path, headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, MANUAL[5:15])
    assert part.headers["content-range"] == f"bytes 5-14/{len(MANUAL)}"
    assert service.get(path, headers={"Range": "bytes=-7"}).content == MANUAL[-7:]
    # The client has another version of the file.
    whole = service.get(path, headers={"Range": "bytes=5-14", "If-Range": '"another"'})
    assert (whole.status_code, whole.content) == (200, MANUAL)
    outside = service.get(path, headers={"Range": f"bytes={len(MANUAL)}-"})
    assert (outside.status_code, outside.headers["content-type"]) == (416, "application/problem+json")
    assert outside.headers["content-range"] == f"bytes */{len(MANUAL)}"


def test_sends_other_types_as_plain_bytes(service: TestClient) -> None:
    page = b"<h1>Pump</h1><p>It is green.</p><script>alert(1)</script>"
    (document,) = upload(service, "pump.html", page)["documents"]
    response = service.get(f"/v1/documents/{document['id']}/file")
    assert (response.headers["content-type"], response.content) == ("application/octet-stream", page)
    assert response.headers["content-disposition"].startswith('attachment; filename="pump.html"')


def test_explains_why_there_is_no_original(service: TestClient) -> None:
    service.post("/v1/documents", json={"id": "note", "text": "The pump is green."})
    for path in ("/v1/documents/note/file", "/v1/documents/note/pages/1.png"):
        missing = service.get(path)
        assert (missing.status_code, missing.json()["field"]) == (404, "id")
        assert "document 'note' has no original file: it was added as text" in missing.json()["detail"]
        assert service.get(path.replace("note", "nowhere")).status_code == 404


def test_stores_no_original_if_files_are_not_kept(open_service: Opener) -> None:
    service = open_service(keep_files=False)
    (document,) = upload(service, "manual.pdf", MANUAL)["documents"]
    assert service.get(f"/v1/documents/{document['id']}").json()["file"] is None
    rejected = service.get(f"/v1/documents/{document['id']}/file")
    assert (rejected.status_code, "QA_KEEP_FILES=false" in rejected.json()["detail"]) == (404, True)


def marked_area(picture: bytes) -> tuple[tuple[int, int], tuple[int, int, int, int] | None]:
    """Return the size of a picture, and the box around its pixels that are neither black, white nor grey."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    saturation = image.convert("HSV").getchannel("S").point(lambda value: 255 if value > 60 else 0)
    return image.size, saturation.getbbox()


def test_highlights_a_span_on_the_picture_of_its_page(service: TestClient) -> None:
    (document,) = upload(service, "manual.pdf", MANUAL)["documents"]
    path = f"/v1/documents/{document['id']}/pages/2.png"
    text = service.get(f"/v1/documents/{document['id']}").json()["text"]
    start = text.index("six weeks")
    plain = service.get(path)
    assert (plain.status_code, plain.headers["content-type"]) == (200, "image/png")
    assert marked_area(plain.content)[1] is None
    marked = service.get(path, params={"highlight": f"{start}-{start + 9}"})
    (width, height), area = marked_area(marked.content)
    assert area
    # The words are at the right of a line whose baseline is 200 points above the lower edge of 300.
    assert width / height == pytest.approx(400 / 300, rel=0.01)
    assert 0.45 < area[0] / width < area[2] / width < 0.75
    assert 0.28 < area[1] / height < area[3] / height < 0.36
    both = service.get(path, params={"highlight": [f"{start}-{start + 9}", f"{text.index('The oil')}-{start}"]})
    wider = marked_area(both.content)[1]
    assert wider
    assert wider[0] / width == pytest.approx(50 / 400, abs=0.02)
    # The span is on another page.
    assert marked_area(service.get(path, params={"highlight": "0-5"}).content)[1] is None
    cached = service.get(path, headers={"If-None-Match": plain.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")


def test_rejects_pages_and_highlights_that_do_not_exist(service: TestClient) -> None:
    (document,) = upload(service, "manual.pdf", MANUAL)["documents"]
    path = f"/v1/documents/{document['id']}/pages"
    length = document["characters"]
    for highlight in (f"0-{length + 1}", "5-5", "9-2", "-1-4", "0", "a-b", "0-5,7-9", f"0-{'9' * 5_000}"):
        rejected = service.get(f"{path}/1.png", params={"highlight": highlight})
        assert (rejected.status_code, rejected.json()["field"]) == (422, "highlight")
        assert f"start < end <= {length}" in rejected.json()["detail"]
    many = service.get(f"{path}/1.png", params={"highlight": ["0-1"] * 21})
    assert (many.status_code, many.json()["field"]) == (422, "highlight")
    for page, field in (("4", "page"), ("0", "n"), ("x", "n")):
        missing = service.get(f"{path}/{page}.png")
        assert (missing.status_code, missing.json()["field"]) == (422, field), missing.text
    assert "page 4 is not one of the 3 pages of manual.pdf" in service.get(f"{path}/4.png").json()["detail"]
    (note,) = upload(service, "note.txt", b"The pump is green.")["documents"]
    rejected = service.get(f"/v1/documents/{note['id']}/pages/1.png")
    assert (rejected.status_code, "has no pages to show" in rejected.json()["detail"]) == (415, True)


def test_an_answer_has_its_cell_and_says_that_it_was_recognised(service: TestClient) -> None:
    text = "Office | Opened\nHarwick | 1987\nTurku | 2004"
    table = Table(0, ((6, 6), (7, 4), (5, 4)), ("Office", "Opened"), 1, True, (4, 5, 6), 2)
    engine = service.app.state.services.engine  # type: ignore[attr-defined]
    engine.add([Document("offices", text, marks=(Mark(0, None, "Offices", "ocr"),), tables=(table,))])
    body = {"question": "When was the office in Harwick opened?", "min_confidence": 0}
    answers = {answer["answer"]: answer for answer in service.post("/v1/query", json=body).json()["answers"]}
    assert {text: answers[text]["cell"] for text in ("1987", "2004")} == {"1987": "C5", "2004": "C6"}
    assert {(answer["section"], answer["ocr"]) for answer in answers.values()} == {("Offices", True)}


ROWS = b"Frage;Antwort;Nr\nWho oils the belt?;The keeper oils the belt.;q7\n"


@pytest.mark.parametrize("by_job", [False, True])
def test_the_form_names_index_and_columns(service: TestClient, by_job: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_SYNCHRONOUS_BYTES", 1 if by_job else 10_000)
    service.put("/v1/indexes/faq")
    form = {"index": "faq", "text_column": "Antwort", "title_column": "Frage", "id_column": "Nr"}
    response = service.post("/v1/documents/upload", files=[("files", ("faq.csv", ROWS))], data=form)
    assert response.status_code == (202 if by_job else 200), response.text
    if by_job:
        service.get(f"{response.headers['location']}/events")
    document = service.get("/v1/documents/q7?index=faq").json()
    assert (document["text"], document["title"]) == ("The keeper oils the belt.", "Who oils the belt?")
    assert service.get("/v1/documents").json()["documents"] == []


def test_rejects_two_indexes_in_one_upload(service: TestClient) -> None:
    files = [("files", ("faq.csv", ROWS))]
    for data, params, status in (
        ({"index": "faq"}, {"index": "default"}, 422),
        ({"index": "faq"}, {}, 404),
        ({"index": "No!"}, {}, 422),
        ({"index": "default"}, {"index": "default"}, 200),
    ):
        response = service.post("/v1/documents/upload", files=files, data=data, params=params)
        assert response.status_code == status, response.text


def test_a_key_of_one_index_cannot_upload_to_another_by_the_form(open_service: Opener) -> None:
    service = open_service()
    engine = service.app.state.services.engine  # type: ignore[attr-defined]
    engine.indexes.get_or_create("faq")
    key = Keys(engine.indexes.folder).create("desk", "write", "faq")
    headers = {"X-API-Key": key}
    files = [("files", ("faq.csv", ROWS))]
    allowed = service.post("/v1/documents/upload", files=files, data={"index": "faq"}, headers=headers)
    assert allowed.status_code == 200, allowed.text
    for data in ({"index": "default"}, {}):
        rejected = service.post("/v1/documents/upload", files=files, data=data, headers=headers)
        assert rejected.status_code == 403
    id = allowed.json()["files"][0]["documents"][0]["id"]
    for path in (f"/v1/documents/{id}/file", f"/v1/documents/{id}/pages/1.png"):
        assert service.get(path, headers=headers).status_code == 403
        assert service.get(path).status_code == 401
    assert service.get(f"/v1/documents/{id}/file?index=faq", headers=headers).content == ROWS


def test_a_retried_upload_with_columns_is_not_repeated(service: TestClient) -> None:
    def send(column: str) -> Any:
        return service.post(
            "/v1/documents/upload",
            files=[("files", ("faq.csv", ROWS))],
            data={"text_column": column},
            headers={"Idempotency-Key": "one"},
        )

    first, again = send("Antwort"), send("Antwort")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert send("Frage").status_code == 422


def found(service: TestClient, query: str) -> Sequence[str]:
    return [document["title"] for document in service.get("/v1/documents", params={"q": query}).json()["documents"]]


def test_finds_documents_by_title_and_file_name(service: TestClient) -> None:
    upload(service, "Übersicht_2024.md", b"# Pumps\n\nThey are green.")
    upload(service, "mills.txt", b"They are grey.")
    assert found(service, "ÜBERSICHT") == found(service, "pump") == ["Pumps"]
    assert found(service, "_2024") == ["Pumps"]
    assert found(service, "%") == []
    assert found(service, "s") == ["mills.txt", "Pumps"]
    page = service.get("/v1/documents", params={"q": "s", "limit": 1}).json()
    rest = service.get("/v1/documents", params={"q": "s", "cursor": page["next"]}).json()
    assert [d["title"] for d in page["documents"] + rest["documents"]] == ["mills.txt", "Pumps"]
    assert service.get("/v1/documents", params={"q": "x" * 1_001}).status_code == 422
