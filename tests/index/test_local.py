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
from qa.index import derived, local, vectors
from qa.index.lexical import LexicalIndex
from qa.index.local import LocalIndex, Prepared
from qa.index.verification import verify_index
from qa.index.writes import Change
from qa.search.filters import compile_filter
from qa.search.fusion import LOOKED_AT
from qa.types import Mark, mark_at, marks_within
from tests.conftest import EMBEDDER, SPECIFICATION, found, prepared, put

TEXTS = {
    "cats": "Cats sleep most of the day. They hunt at night.",
    "trains": "The train to Harwick leaves at noon. It stops twice.",
    "tea": "Green tea should steep for two minutes.",
}


def filled(index: LocalIndex) -> LocalIndex:
    put(index, *(prepared(id, text) for id, text in TEXTS.items()))
    return index


def numbers(index: LocalIndex) -> list[int]:
    with index.catalog.read() as transaction:
        return [number for number, _ in transaction.vectors_since(1, 0)]


def test_what_is_more_than_a_tail_becomes_the_base_at_once(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MAX_TAIL", len(TEXTS) - 1)
    monkeypatch.setattr(vectors.VectorView, "advance", None)
    filled(index)
    with index.derived.pinned() as (view, transaction):
        assert len(view.vectors.tail_ids) == 0
        expected = dict(transaction.vectors_since(1, 0))
        stored = view.vectors.stored()
    assert list(stored) == numbers(index)
    assert all(np.array_equal(stored[number], vector) for number, vector in expected.items())


def test_memory_is_given_back_once_many_were_written(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bool] = []
    monkeypatch.setattr(derived, "trim_heap", lambda: given.append(True))
    filled(index).catch_up()
    assert not given
    monkeypatch.setattr(derived, "_MANY", len(TEXTS) - 1)
    # Postings alone that have to be made anew are as many.
    shutil.rmtree(index.folder / "lexical-1")
    again = LocalIndex(index.folder, SPECIFICATION)
    again.catch_up()
    again.catch_up()
    assert given == [True]
    again.close()


def test_what_was_added_is_found(index: LocalIndex) -> None:
    filled(index)
    assert found(index, "When does the train leave?")[0] == "trains"
    assert found(index, "how long should tea steep")[0] == "tea"


def test_marks_of_pages_and_sections_are_kept(index: LocalIndex) -> None:
    text = "First page. " * 60 + "Second page. " * 60
    marks = (Mark(0, 1, None), Mark(300, 1, "Oil"), Mark(720, 2, "Oil"))
    put(index, prepared("a", text, marks=marks))
    document, _ = index.document("a") or pytest.fail("gone")
    assert document.marks == marks
    (vector,) = EMBEDDER.encode_questions(["page"])
    hits = index.search("page", vector, 10).hits
    assert len(hits) > 1
    for hit in hits:
        assert hit.passage.marks == marks_within(marks, hit.passage.span)
        assert mark_at(hit.passage.marks, hit.passage.span.start) == mark_at(marks, hit.passage.span.start)
    assert put_again(index, prepared("a", text, marks=marks)) == ["unchanged"]
    assert put_again(index, prepared("a", text)) == ["replaced"]


def put_again(index: LocalIndex, document: Prepared) -> list[Change] | None:
    return index.put([document], index.catalog.specification()[0])


@pytest.mark.parametrize(("version", "lacking"), [(1, ["marks", "boxes"]), (2, ["boxes"])])
def test_an_index_of_an_earlier_version_is_brought_up_to_date(
    index: LocalIndex, version: int, lacking: list[str]
) -> None:
    filled(index)
    index.close()
    connection = sqlite3.connect(index.folder / "catalog.sqlite3")
    for table in ("documents", "passages"):
        for column in lacking:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    again = LocalIndex(index.folder, SPECIFICATION)
    assert found(again, "When does the train leave?")[0] == "trains"
    assert put_again(again, prepared("tea", TEXTS["tea"])) == ["unchanged"]
    put(again, prepared("b", "A new one.", marks=(Mark(0, 3),), boxes=b"16 bytes, a word"))
    document, _ = again.document("b") or pytest.fail("gone")
    assert (document.marks, document.boxes) == ((Mark(0, 3),), b"16 bytes, a word")
    again.close()


def test_an_index_that_was_split_as_in_an_earlier_version_answers_on(tmp_path: Path) -> None:
    for earlier in splitting.MIXED_WITH:
        folder = tmp_path / earlier
        filled(LocalIndex(folder, replace(SPECIFICATION, splitting=earlier), create=True)).close()
        index = LocalIndex(folder, SPECIFICATION)
        put(index, prepared("b", "Bread is baked at noon."))
        assert found(index, "When does the train leave?")[0] == "trains"
        assert found(index, "When is bread baked?")[0] == "b"
        index.close()
    with pytest.raises(Conflict, match="of another kind"):
        LocalIndex(folder, replace(SPECIFICATION, splitting="of another kind"))


def test_what_stands_under_a_heading_is_found_by_it(index: LocalIndex) -> None:
    oil, scale = "The oil is changed by hand. " * 60, "It takes half an hour, and a litre of water. " * 60
    text = f"Oil\n\n{oil}\n\nDescaling\n\n{scale}"
    put(index, prepared("pump", text, marks=(Mark(0, None, "Oil"), Mark(text.index("Descaling"), None, "Descaling"))))
    (vector,) = EMBEDDER.encode_questions(["How long does descaling take?"])
    hits = index.search("How long does descaling take?", vector, 50).hits
    under = [hit for hit in hits if hit.passage.marks[0].section == "Descaling"]
    others = [hit for hit in hits if all(mark.section != "Descaling" for mark in hit.passage.marks)]
    assert len(under) >= 2
    assert len(others) >= 2
    assert "Descaling" not in under[-1].passage.text
    assert min(hit.lexical for hit in under) > 0 == max(hit.lexical for hit in others)
    assert min(hit.dense for hit in under) > max(hit.dense for hit in others)
    # An answer's place is that of the text alone.
    assert all(hit.passage.text == hit.passage.span.of(text) for hit in hits)


def test_replacing_removes_the_old_text(index: LocalIndex) -> None:
    filled(index)
    found(index, "train")
    put(index, prepared("trains", "Buses leave from the market square."))
    assert found(index, "market square")[0] == "trains"
    document, info = index.document("trains") or pytest.fail("gone")
    assert document.text == "Buses leave from the market square."
    assert info.passages == 1
    (vector,) = EMBEDDER.encode_questions(["train noon"])
    assert all("noon" not in hit.passage.text for hit in index.search("train noon", vector, 10).hits)


def test_removed_is_not_found(index: LocalIndex) -> None:
    filled(index)
    assert index.remove(["cats"]) is None
    assert "cats" not in found(index, "cats sleep")
    assert index.document("cats") is None
    assert index.counts() == (2, 2)


def test_removing_is_all_or_nothing(index: LocalIndex) -> None:
    filled(index)
    assert index.remove(["cats", "dogs"]) == "dogs"
    assert index.counts()[0] == 3


def test_same_content_changes_nothing(index: LocalIndex) -> None:
    filled(index)
    with index.catalog.read() as transaction:
        before = transaction.revision()
    assert index.put([prepared("tea", TEXTS["tea"])], index.catalog.specification()[0]) == ["unchanged"]
    with index.catalog.read() as transaction:
        assert transaction.revision() == before


def test_passage_numbers_are_never_reused(index: LocalIndex) -> None:
    filled(index)
    before = numbers(index)
    index.remove(list(TEXTS))
    put(index, prepared("cats", TEXTS["cats"]))
    after = numbers(index)
    assert min(after) > max(before)


def test_another_process_sees_a_write_with_its_next_query(index: LocalIndex) -> None:
    other = LocalIndex(index.folder, SPECIFICATION)
    filled(index)
    assert found(other, "cats hunt")[0] == "cats"
    put(other, prepared("dogs", "Dogs bark at the postman."))
    assert found(index, "dogs bark postman")[0] == "dogs"
    index.remove(["dogs"])
    assert "dogs" not in found(other, "dogs bark postman")
    other.close()


def test_results_do_not_change_over_a_restart(index: LocalIndex) -> None:
    filled(index)
    (vector,) = EMBEDDER.encode_questions(["cats and tea"])
    before = index.search("cats and tea", vector, 10)
    index.close()
    again = LocalIndex(index.folder, SPECIFICATION)
    assert again.search("cats and tea", vector, 10) == before
    again.close()


def test_a_new_base_gives_the_same_results(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(index)
    (vector,) = EMBEDDER.encode_questions(["cats and tea"])
    before = index.search("cats and tea", vector, 10)
    monkeypatch.setattr(vectors, "MAX_TAIL", 1)
    index.derived.discard()
    assert index.search("cats and tea", vector, 10) == before
    assert list(index.folder.glob("vectors-*.faiss"))
    again = LocalIndex(index.folder, SPECIFICATION)
    assert again.search("cats and tea", vector, 10) == before
    index.remove(["cats"])
    assert "cats" not in found(again, "cats sleep")
    again.close()


def test_only_what_passes_the_filter_is_found(index: LocalIndex) -> None:
    put(index, *(prepared(f"d{i}", f"Report {i} on trains.", meta={"year": 2000 + i % 3}) for i in range(30)))
    (vector,) = EMBEDDER.encode_questions(["trains"])
    hits = index.search("trains", vector, 30, compile_filter({"year": 2001})).hits
    assert {hit.passage.document_id for hit in hits} == {f"d{i}" for i in range(1, 30, 3)}
    assert all(hit.lexical > 0 for hit in hits)
    assert index.search("trains", vector, 30, compile_filter({"year": 1990})).hits == []


def test_both_sides_are_scored_for_every_hit(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "CANDIDATES", 2)
    put(index, *(prepared(f"d{i}", f"Train {i} " + "waits at the station. " * (i + 1)) for i in range(12)))
    (vector,) = EMBEDDER.encode_questions(["train waits station"])
    narrow = index.search("train waits station", vector, 1).hits[0]
    monkeypatch.setattr(local, "CANDIDATES", 12)
    wide = {hit.passage_id: hit for hit in index.search("train waits station", vector, 12).hits}
    assert narrow.lexical == wide[narrow.passage_id].lexical
    assert narrow.dense == wide[narrow.passage_id].dense


def test_words_that_stand_in_one_sentence_count_for_more(index: LocalIndex) -> None:
    # The same words, so that BM25 does not tell them apart; the tests' embedder is for the other one.
    apart, together = "The ferry waits. Noon is old. Harwick is near.", "The ferry waits at noon, near. Harwick is old."
    question = "Which ferry is near?"
    put(index, prepared("apart", apart), prepared("together", together))
    (vector,) = EMBEDDER.encode_questions([question])
    first, second = index.search(question, vector, 2, by_sentence=True).hits
    assert first.passage.document_id == "together"
    assert first.lexical == pytest.approx(second.lexical)
    assert first.dense < second.dense
    # The reader sees that itself.
    assert [hit.passage.document_id for hit in index.search(question, vector, 2).hits] == ["apart", "together"]


def test_the_first_hits_are_the_same_however_many_are_asked_for(index: LocalIndex) -> None:
    # By BM25 and cosine the last is behind all others; its one sentence has all of the question.
    put(index, *(prepared(f"d{i}", "The train waits. The station is old. " * 3) for i in range(LOOKED_AT)))
    put(index, prepared("last", "The train, so it is said by the old, waits at the station, " + "of Harwick, " * 40))
    (vector,) = EMBEDDER.encode_questions(["train waits station"])
    some, all_of_them = (
        index.search("train waits station", vector, n, by_sentence=True).hits for n in (3, LOOKED_AT + 1)
    )
    assert some == all_of_them[:3]
    assert all_of_them[-1].passage.document_id == "last"
    scores = [hit.retrieval for hit in all_of_them]
    assert scores == sorted(scores, reverse=True)


def test_a_damaged_derived_file_is_made_again(index: LocalIndex) -> None:
    filled(index)
    expected = found(index, "cats and tea")
    index.close()
    for path in index.folder.glob("lexical-*/*"):
        path.write_bytes(b"damaged")
    again = LocalIndex(index.folder, SPECIFICATION)
    assert found(again, "cats and tea") == expected
    again.close()


def test_derived_files_can_be_deleted(index: LocalIndex) -> None:
    filled(index)
    expected = found(index, "cats and tea")
    index.close()
    for path in index.folder.iterdir():
        if path.name.startswith(("lexical", "vectors")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = LocalIndex(index.folder, SPECIFICATION)
    assert found(again, "cats and tea") == expected
    again.close()


def put_back(index: LocalIndex, tmp_path: Path) -> LocalIndex:
    """Return an index whose catalogue is a backup with "tea" alone, and whose derived files also hold "cats"."""
    put(index, prepared("tea", TEXTS["tea"]))
    index.close()
    shutil.copy(index.folder / "catalog.sqlite3", tmp_path / "backup")
    later = LocalIndex(index.folder, SPECIFICATION)
    put(later, prepared("cats", TEXTS["cats"]))
    assert "cats" in found(later, "cats")
    later.close()
    shutil.copy(tmp_path / "backup", index.folder / "catalog.sqlite3")
    return LocalIndex(index.folder, SPECIFICATION)


def test_an_older_catalogue_put_back_is_believed(index: LocalIndex, tmp_path: Path) -> None:
    again = put_back(index, tmp_path)
    assert found(again, "cats tea") == ["tea"]
    assert verify_index(again).broken == ()
    again.close()


def test_a_backup_put_back_and_written_to_is_not_taken_for_what_was_there(index: LocalIndex, tmp_path: Path) -> None:
    again = put_back(index, tmp_path)
    put(again, prepared("trains", TEXTS["trains"]))
    (vector,) = EMBEDDER.encode_questions(["cats hunt"])
    assert all(hit.lexical == 0 for hit in again.search("cats hunt", vector, 10).hits)
    assert found(again, "train noon")[0] == "trains"
    again.close()


def test_replacing_for_long_does_not_make_postings_anew_each_time(
    index: LocalIndex, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for round in range(6):
        put(index, *(prepared(f"d{i}", f"Report {i} of round {round}.") for i in range(40)))
        found(index, "report")
    assert 1 <= len([r for r in caplog.records if "anew" in r.message]) <= 2


def test_threads_that_come_and_go_leave_no_connection(index: LocalIndex) -> None:
    filled(index)
    for _ in range(30):
        thread = threading.Thread(target=index.counts)
        thread.start()
        thread.join()
    assert index.catalog._idle.qsize() <= 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="file/x"):
        LocalIndex(tmp_path / "file" / "x", SPECIFICATION, create=True)


def test_an_index_of_another_model_is_refused(index: LocalIndex) -> None:
    index.close()
    with pytest.raises(Conflict, match=r"made with embedder 'hashing@1'.*other@2"):
        LocalIndex(index.folder, replace(SPECIFICATION, embedder="other@2"))


def test_no_index_is_made_by_opening(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no index"):
        LocalIndex(tmp_path / "none", SPECIFICATION)
    assert not (tmp_path / "none").exists()


def test_a_newer_schema_is_refused(index: LocalIndex) -> None:
    index.close()
    connection = sqlite3.connect(index.folder / "catalog.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Conflict, match="newer version"):
        LocalIndex(index.folder, SPECIFICATION)


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "catalog.sqlite3").write_bytes(b"not a database at all, but long enough to be read" * 50)
    with pytest.raises(Conflict, match="not a catalogue"):
        LocalIndex(tmp_path / "x", SPECIFICATION)


def test_a_write_for_a_generation_that_is_not_live_is_not_done(index: LocalIndex) -> None:
    assert index.put([prepared("tea", TEXTS["tea"])], generation=77) is None
    assert index.counts() == (0, 0)


def test_a_reader_keeps_its_revision_while_others_write(index: LocalIndex) -> None:
    filled(index)
    other = LocalIndex(index.folder, SPECIFICATION)
    with index.catalog.read() as transaction:
        revision = transaction.revision()
        other.remove(["cats"])
        assert transaction.revision() == revision
        assert transaction.has("cats")
    with index.catalog.read() as transaction:
        assert not transaction.has("cats")
    other.close()


def test_verify_finds_and_tells_apart_what_is_broken_and_what_is_derived(index: LocalIndex) -> None:
    filled(index)
    assert verify_index(index).broken == verify_index(index).repaired == ()
    index.catch_up()
    index.close()
    connection = sqlite3.connect(index.folder / "catalog.sqlite3")
    connection.execute("UPDATE passages SET text = 'Bats sleep.' WHERE text LIKE 'Cats%'")
    connection.execute("INSERT INTO tombstones VALUES (2, 1, 2)")
    connection.commit()
    connection.close()
    again = LocalIndex(index.folder, SPECIFICATION)
    result = verify_index(again)
    assert len(result.broken) == 1
    assert "document 'cats': passage 1 is not the text" in result.broken[0]
    again.close()


def test_verify_makes_wrong_postings_again(index: LocalIndex) -> None:
    filled(index)
    index.catch_up()
    handle = LexicalIndex(index.folder / "lexical-1")
    handle.apply([1], [], handle.revision, handle.mark)
    result = verify_index(index)
    assert result.repaired == ("postings: 1 passages missing, 0 too many",)
    assert verify_index(index).repaired == ()
    assert found(index, "cats sleep")[0] == "cats"
