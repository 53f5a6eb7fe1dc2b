from __future__ import annotations

import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qa.documents import splitting
from qa.errors import Conflict, NotFound, Unavailable
from qa.index import derived, vectors
from qa.index.lexical import LexicalIndex
from qa.index.local import LocalIndex, Prepared
from qa.index.verification import verify_index
from qa.search import hybrid
from qa.search.filters import parse_filter
from qa.search.fusion import SENTENCE_DEPTH
from qa.types import Change, Mark, mark_at, marks_within
from tests.conftest import EMBEDDER, SPECIFICATION, prepare_document, put, search_ids

TEXTS = {
    "cats": "Cats sleep most of the day. They hunt at night.",
    "trains": "The train to Harwick leaves at noon. It stops twice.",
    "tea": "Green tea should steep for two minutes.",
}


def filled(index: LocalIndex) -> LocalIndex:
    put(index, *(prepare_document(id, text) for id, text in TEXTS.items()))
    return index


def passage_ids(index: LocalIndex) -> list[int]:
    with index.catalog.read() as transaction:
        return [id for id, _ in transaction.vectors_since(1, 0)]


def test_builds_a_base_directly_from_many_new_passages(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MAX_TAIL", len(TEXTS) - 1)
    monkeypatch.setattr(vectors.VectorView, "advance", None)
    filled(index)
    with index.derived.pin() as (view, transaction):
        assert len(view.vectors.tail_ids) == 0
        expected = dict(transaction.vectors_since(1, 0))
        stored = view.vectors.stored()
    assert list(stored) == passage_ids(index)
    assert all(np.array_equal(stored[id], vector) for id, vector in expected.items())


def test_trims_the_heap_after_writing_many_postings(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    trims: list[bool] = []
    monkeypatch.setattr(derived, "trim_heap", lambda: trims.append(True))
    filled(index).catch_up()
    assert not trims
    monkeypatch.setattr(derived, "_TRIM_ABOVE", len(TEXTS) - 1)
    # Rebuilding the postings writes as many, even without new documents.
    shutil.rmtree(index.folder / "lexical-1")
    reopened = LocalIndex(index.folder, SPECIFICATION)
    reopened.catch_up()
    reopened.catch_up()
    assert trims == [True]
    reopened.close()


def test_finds_added_documents(index: LocalIndex) -> None:
    filled(index)
    assert search_ids(index, "When does the train leave?")[0] == "trains"
    assert search_ids(index, "how long should tea steep")[0] == "tea"


def test_stores_page_and_section_marks(index: LocalIndex) -> None:
    text = "First page. " * 60 + "Second page. " * 60
    marks = (Mark(0, 1, None), Mark(300, 1, "Oil"), Mark(720, 2, "Oil"))
    put(index, prepare_document("a", text, marks=marks))
    document, _ = index.document("a") or pytest.fail("not stored")
    assert document.marks == marks
    (vector,) = EMBEDDER.encode_questions(["page"])
    hits = index.search("page", vector, 10).hits
    assert len(hits) > 1
    for hit in hits:
        assert hit.passage.marks == marks_within(marks, hit.passage.span)
        assert mark_at(hit.passage.marks, hit.passage.span.start) == mark_at(marks, hit.passage.span.start)
    assert put_again(index, prepare_document("a", text, marks=marks)) == ["unchanged"]
    assert put_again(index, prepare_document("a", text)) == ["replaced"]


def put_again(index: LocalIndex, document: Prepared) -> list[Change] | None:
    return index.put([document], index.catalog.specification()[0])


def test_searches_and_extends_an_index_with_splitting_of_an_earlier_version(tmp_path: Path) -> None:
    for earlier in splitting.MIXED_WITH:
        folder = tmp_path / earlier
        filled(LocalIndex(folder, replace(SPECIFICATION, splitting=earlier), create=True)).close()
        index = LocalIndex(folder, SPECIFICATION)
        put(index, prepare_document("b", "Bread is baked at noon."))
        assert search_ids(index, "When does the train leave?")[0] == "trains"
        assert search_ids(index, "When is bread baked?")[0] == "b"
        index.close()
    with pytest.raises(Conflict, match="another splitting"):
        LocalIndex(folder, replace(SPECIFICATION, splitting="another splitting"))


def test_finds_passages_by_the_heading_above_them(index: LocalIndex) -> None:
    oil, scale = "The oil is changed by hand. " * 60, "It takes half an hour, and a litre of water. " * 60
    text = f"Oil\n\n{oil}\n\nDescaling\n\n{scale}"
    put(
        index,
        prepare_document("pump", text, marks=(Mark(0, None, "Oil"), Mark(text.index("Descaling"), None, "Descaling"))),
    )
    (vector,) = EMBEDDER.encode_questions(["How long does descaling take?"])
    hits = index.search("How long does descaling take?", vector, 50).hits
    under = [hit for hit in hits if hit.passage.marks[0].section == "Descaling"]
    others = [hit for hit in hits if all(mark.section != "Descaling" for mark in hit.passage.marks)]
    assert len(under) >= 2
    assert len(others) >= 2
    assert "Descaling" not in under[-1].passage.text
    assert min(hit.lexical for hit in under) > 0 == max(hit.lexical for hit in others)
    assert min(hit.dense for hit in under) > max(hit.dense for hit in others)
    # Spans do not count the headings.
    assert all(hit.passage.text == hit.passage.span.of(text) for hit in hits)


def test_replacing_a_document_removes_its_old_text(index: LocalIndex) -> None:
    filled(index)
    search_ids(index, "train")
    put(index, prepare_document("trains", "Buses leave from the market square."))
    assert search_ids(index, "market square")[0] == "trains"
    document, info = index.document("trains") or pytest.fail("not stored")
    assert document.text == "Buses leave from the market square."
    assert info.passages == 1
    (vector,) = EMBEDDER.encode_questions(["train noon"])
    assert all("noon" not in hit.passage.text for hit in index.search("train noon", vector, 10).hits)


def test_does_not_find_a_removed_document(index: LocalIndex) -> None:
    filled(index)
    assert index.remove(["cats"]) is None
    assert "cats" not in search_ids(index, "cats sleep")
    assert index.document("cats") is None
    assert index.counts() == (2, 2)


def test_removes_all_documents_or_none(index: LocalIndex) -> None:
    filled(index)
    assert index.remove(["cats", "dogs"]) == "dogs"
    assert index.counts()[0] == 3


def test_equal_content_changes_nothing(index: LocalIndex) -> None:
    filled(index)
    with index.catalog.read() as transaction:
        before = transaction.revision()
    assert index.put([prepare_document("tea", TEXTS["tea"])], index.catalog.specification()[0]) == ["unchanged"]
    with index.catalog.read() as transaction:
        assert transaction.revision() == before


def test_never_reuses_passage_ids(index: LocalIndex) -> None:
    filled(index)
    before = passage_ids(index)
    index.remove(list(TEXTS))
    put(index, prepare_document("cats", TEXTS["cats"]))
    after = passage_ids(index)
    assert min(after) > max(before)


def test_next_query_of_another_process_sees_a_write(index: LocalIndex) -> None:
    second = LocalIndex(index.folder, SPECIFICATION)
    filled(index)
    assert search_ids(second, "cats hunt")[0] == "cats"
    put(second, prepare_document("dogs", "Dogs bark at the postman."))
    assert search_ids(index, "dogs bark postman")[0] == "dogs"
    index.remove(["dogs"])
    assert "dogs" not in search_ids(second, "dogs bark postman")
    second.close()


def test_results_are_equal_after_a_restart(index: LocalIndex) -> None:
    filled(index)
    (vector,) = EMBEDDER.encode_questions(["cats and tea"])
    before = index.search("cats and tea", vector, 10)
    index.close()
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert reopened.search("cats and tea", vector, 10) == before
    reopened.close()


def test_results_are_equal_with_a_new_base(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(index)
    (vector,) = EMBEDDER.encode_questions(["cats and tea"])
    before = index.search("cats and tea", vector, 10)
    monkeypatch.setattr(vectors, "MAX_TAIL", 1)
    index.derived.discard()
    assert index.search("cats and tea", vector, 10) == before
    assert list(index.folder.glob("vectors-*.faiss"))
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert reopened.search("cats and tea", vector, 10) == before
    index.remove(["cats"])
    assert "cats" not in search_ids(reopened, "cats sleep")
    reopened.close()


def test_returns_only_documents_that_pass_the_filter(index: LocalIndex) -> None:
    put(index, *(prepare_document(f"d{i}", f"Report {i} on trains.", meta={"year": 2000 + i % 3}) for i in range(30)))
    (vector,) = EMBEDDER.encode_questions(["trains"])
    hits = index.search("trains", vector, 30, parse_filter({"year": 2001})).hits
    assert {hit.passage.document_id for hit in hits} == {f"d{i}" for i in range(1, 30, 3)}
    assert all(hit.lexical > 0 for hit in hits)
    assert index.search("trains", vector, 30, parse_filter({"year": 1990})).hits == []


def test_every_hit_has_a_lexical_and_a_dense_score(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid, "CANDIDATES", 2)
    put(index, *(prepare_document(f"d{i}", f"Train {i} " + "waits at the station. " * (i + 1)) for i in range(12)))
    (vector,) = EMBEDDER.encode_questions(["train waits station"])
    narrow = index.search("train waits station", vector, 1).hits[0]
    monkeypatch.setattr(hybrid, "CANDIDATES", 12)
    wide = {hit.passage_id: hit for hit in index.search("train waits station", vector, 12).hits}
    assert narrow.lexical == wide[narrow.passage_id].lexical
    assert narrow.dense == wide[narrow.passage_id].dense


def test_terms_in_one_sentence_rank_a_passage_higher(index: LocalIndex) -> None:
    # Both contain the same words, so BM25 is equal; the test embedder prefers `apart`.
    apart, together = "The ferry waits. Noon is old. Harwick is near.", "The ferry waits at noon, near. Harwick is old."
    question = "Which ferry is near?"
    put(index, prepare_document("apart", apart), prepare_document("together", together))
    (vector,) = EMBEDDER.encode_questions([question])
    first, second = index.search(question, vector, 2, by_sentence=True).hits
    assert first.passage.document_id == "together"
    assert first.lexical == pytest.approx(second.lexical)
    assert first.dense < second.dense
    # Without sentence coverage the order follows the embedder.
    assert [hit.passage.document_id for hit in index.search(question, vector, 2).hits] == ["apart", "together"]


def test_first_hits_do_not_depend_on_the_limit(index: LocalIndex) -> None:
    # By BM25 and cosine the last document ranks last, but its only sentence covers the whole question.
    put(index, *(prepare_document(f"d{i}", "The train waits. The station is old. " * 3) for i in range(SENTENCE_DEPTH)))
    put(
        index,
        prepare_document("last", "The train, so it is said by the old, waits at the station, " + "of Harwick, " * 40),
    )
    (vector,) = EMBEDDER.encode_questions(["train waits station"])
    first_hits, all_hits = (
        index.search("train waits station", vector, n, by_sentence=True).hits for n in (3, SENTENCE_DEPTH + 1)
    )
    assert first_hits == all_hits[:3]
    assert all_hits[-1].passage.document_id == "last"
    scores = [hit.retrieval for hit in all_hits]
    assert scores == sorted(scores, reverse=True)


def test_rebuilds_damaged_derived_files(index: LocalIndex) -> None:
    filled(index)
    expected = search_ids(index, "cats and tea")
    index.close()
    for path in index.folder.glob("lexical-*/*"):
        path.write_bytes(b"damaged")
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert search_ids(reopened, "cats and tea") == expected
    reopened.close()


def test_rebuilds_deleted_derived_files(index: LocalIndex) -> None:
    filled(index)
    expected = search_ids(index, "cats and tea")
    index.close()
    for path in index.folder.iterdir():
        if path.name.startswith(("lexical", "vectors")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert search_ids(reopened, "cats and tea") == expected
    reopened.close()


def restore_backup(index: LocalIndex, tmp_path: Path) -> LocalIndex:
    """Return an index with a restored catalogue that has only "tea", and derived files that also have "cats"."""
    put(index, prepare_document("tea", TEXTS["tea"]))
    index.close()
    shutil.copy(index.folder / "catalog.sqlite3", tmp_path / "backup")
    later = LocalIndex(index.folder, SPECIFICATION)
    put(later, prepare_document("cats", TEXTS["cats"]))
    assert "cats" in search_ids(later, "cats")
    later.close()
    shutil.copy(tmp_path / "backup", index.folder / "catalog.sqlite3")
    return LocalIndex(index.folder, SPECIFICATION)


def test_restored_older_catalogue_overrides_newer_derived_files(index: LocalIndex, tmp_path: Path) -> None:
    reopened = restore_backup(index, tmp_path)
    assert search_ids(reopened, "cats tea") == ["tea"]
    assert verify_index(reopened).broken == ()
    reopened.close()


def test_restored_backup_with_new_writes_does_not_use_stale_postings(index: LocalIndex, tmp_path: Path) -> None:
    reopened = restore_backup(index, tmp_path)
    put(reopened, prepare_document("trains", TEXTS["trains"]))
    (vector,) = EMBEDDER.encode_questions(["cats hunt"])
    assert all(hit.lexical == 0 for hit in reopened.search("cats hunt", vector, 10).hits)
    assert search_ids(reopened, "train noon")[0] == "trains"
    reopened.close()


def test_repeated_replacing_rarely_rebuilds_postings(index: LocalIndex, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for round in range(6):
        put(index, *(prepare_document(f"d{i}", f"Report {i} of round {round}.") for i in range(40)))
        search_ids(index, "report")
    assert 1 <= len([r for r in caplog.records if "rebuilding the postings" in r.message]) <= 2


def test_short_lived_threads_leave_no_connections_open(index: LocalIndex) -> None:
    filled(index)
    for _ in range(30):
        thread = threading.Thread(target=index.counts)
        thread.start()
        thread.join()
    assert index.catalog._idle.qsize() <= 2


def test_names_the_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="file/x"):
        LocalIndex(tmp_path / "file" / "x", SPECIFICATION, create=True)


def test_rejects_an_index_of_another_embedder(index: LocalIndex) -> None:
    index.close()
    with pytest.raises(Conflict, match=r"built with embedder 'hashing@1'.*other@2.*qa rebuild"):
        LocalIndex(index.folder, replace(SPECIFICATION, embedder="other@2"))


def test_opening_a_missing_index_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="index not found"):
        LocalIndex(tmp_path / "none", SPECIFICATION)
    assert not (tmp_path / "none").exists()


def test_does_not_write_for_a_generation_that_is_not_live(index: LocalIndex) -> None:
    assert index.put([prepare_document("tea", TEXTS["tea"])], generation=77) is None
    assert index.counts() == (0, 0)


def test_reader_keeps_its_revision_during_writes(index: LocalIndex) -> None:
    filled(index)
    writer = LocalIndex(index.folder, SPECIFICATION)
    with index.catalog.read() as transaction:
        revision = transaction.revision()
        writer.remove(["cats"])
        assert transaction.revision() == revision
        assert transaction.has("cats")
    with index.catalog.read() as transaction:
        assert not transaction.has("cats")
    writer.close()


def test_verify_reports_a_damaged_catalogue_as_broken(index: LocalIndex) -> None:
    filled(index)
    assert verify_index(index).broken == verify_index(index).repaired == ()
    index.catch_up()
    index.close()
    connection = sqlite3.connect(index.folder / "catalog.sqlite3")
    connection.execute("UPDATE passages SET text = 'Bats sleep.' WHERE text LIKE 'Cats%'")
    connection.execute("INSERT INTO tombstones VALUES (2, 1, 2)")
    connection.commit()
    connection.close()
    reopened = LocalIndex(index.folder, SPECIFICATION)
    result = verify_index(reopened)
    assert len(result.broken) == 1
    assert "document 'cats': passage 1 is not the text" in result.broken[0]
    reopened.close()


def test_verify_repairs_wrong_postings(index: LocalIndex) -> None:
    filled(index)
    index.catch_up()
    handle = LexicalIndex(index.folder / "lexical-1")
    handle.apply([1], [], handle.revision, handle.mark)
    result = verify_index(index)
    assert result.repaired == ("postings: 1 passages missing, 0 too many",)
    assert verify_index(index).repaired == ()
    assert search_ids(index, "cats sleep")[0] == "cats"
