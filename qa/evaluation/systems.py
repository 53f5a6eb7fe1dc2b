"""What can be evaluated: our models on a set's contexts, an index, a running server, any system's predictions."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx2

from qa.engine import Engine
from qa.errors import DatasetError, InvalidInput, QAError, Unavailable
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.files import content_of
from qa.evaluation.outcomes import Candidate, Outcome
from qa.reading.calibration import Scale
from qa.types import Document, QueryResult, Span

# Deep enough for recall@20 where several passages of one document rank high.
RANKED_PASSAGES = 60
CANDIDATES = 5
_READ_TOGETHER = 32
_TIMED_ALONE = 100
_DOCUMENTS_TOGETHER = 64
_TIMEOUT_S = 60.0

Progress = Callable[[int], None]


class System(Protocol):
    """Something that answers a data set's questions."""

    description: Mapping[str, object]
    """What it is made of: `model` and `index`, as far as it tells."""

    fingerprint: str
    """Differs where outcomes may differ."""

    def outcomes(self, questions: Sequence[LabelledQuestion]) -> Iterator[Outcome]:
        """Yield what each question gave, in their order."""
        ...


class ReaderAlone:
    """The reader on each question's own context."""

    def __init__(self, engine: Engine, dataset: Dataset) -> None:
        self._engine = engine
        self._dataset = dataset
        self.description: Mapping[str, object] = {"model": _models(engine), "index": None}
        self.fingerprint = repr((_models(engine), engine.calibration))

    def outcomes(self, questions: Sequence[LabelledQuestion]) -> Iterator[Outcome]:
        """Yield outcomes without rankings. Questions are read together; the time of reading alone is taken of some."""
        step = max(1, len(questions) // _TIMED_ALONE)
        for first in range(0, len(questions), _READ_TOGETHER):
            part = questions[first : first + _READ_TOGETHER]
            pairs = [(q.text, self._dataset.contexts[q.context]) for q in part]
            results = self._engine.read_batch(pairs, top_k=CANDIDATES, min_confidence=0.0)
            for place, (question, result) in enumerate(zip(part, results, strict=True), first):
                candidates = tuple(Candidate(a.text, a.confidence, question.context, a.span) for a in result.answers)
                given = _sure(result, self._engine.calibration.read)
                timings = {} if place % step else self._engine.read(*pairs[place - first]).timings_ms
                yield Outcome(question.id, candidates, given, result.no_answer_score, timings_ms=timings)


class Indexed:
    """An index that is asked; `read` is false where only its ranking is wanted."""

    def __init__(self, engine: Engine, index: str, dataset: Dataset, *, read: bool) -> None:
        self._engine = engine
        self._index = index
        self._read = read
        texts = {info.id: engine.document(info.id, index=index)[0].text for info in engine.all_documents(index=index)}
        self._documents = _Documents(texts, dataset)
        documents, passages = engine.indexes.get(index).counts()
        self.description: Mapping[str, object] = {
            "model": _models(engine),
            "index": {"documents": documents, "passages": passages, "contexts_missing": self._documents.missing},
        }
        self.fingerprint = repr((_models(engine), engine.calibration, index, self._documents))

    def outcomes(self, questions: Sequence[LabelledQuestion]) -> Iterator[Outcome]:
        """Yield outcomes; where the reader is asked, times are the answer's, and the ranking is made beside it.

        A question that may not be asked, as it is too long, gives nothing.
        """
        for question in questions:
            try:
                yield self._outcome(question)
            except InvalidInput:
                yield Outcome(question.id, (), given=False, ranking=())

    def _outcome(self, question: LabelledQuestion) -> Outcome:
        result = self._ask(question) if self._read else None
        found = self._engine.search(question.text, index=self._index, top_k=RANKED_PASSAGES)
        ranking = self._documents.contexts(hit.passage.document_id for hit in found.hits)
        if result is None:
            return Outcome(question.id, (), given=False, ranking=ranking, timings_ms=found.timings_ms)
        return Outcome(
            question.id,
            tuple(
                Candidate(a.text, a.confidence, self._documents.places[a.document_id], a.span) for a in result.answers
            ),
            _sure(result, self._engine.calibration.query),
            result.no_answer_score,
            ranking,
            self._documents.contexts(hit.passage.document_id for hit in result.passages),
            result.timings_ms,
        )

    def _ask(self, question: LabelledQuestion) -> QueryResult:
        return self._engine.ask(
            question.text, index=self._index, top_k=CANDIDATES, min_confidence=0.0, include_passages=True
        )


@contextmanager
def own_contexts(engine: Engine, dataset: Dataset, progress: Progress, *, read: bool) -> Iterator[Indexed]:
    """Put a data set's contexts into a throw-away index, one document each.

    Args:
        engine: its models are used, its indexes are not touched.
        dataset: where the contexts come from.
        progress: is told how many more contexts are in.
        read: whether answers are wanted, or rankings alone.
    """
    with tempfile.TemporaryDirectory(prefix="qa-eval-") as folder:
        ready = engine.in_folder(Path(folder))
        try:
            ready.indexes.get_or_create("default")
            documents = [Document(str(place), text) for place, text in enumerate(dataset.contexts)]
            for first in range(0, len(documents), _DOCUMENTS_TOGETHER):
                part = documents[first : first + _DOCUMENTS_TOGETHER]
                # Public corpora have blank documents; no question can find one.
                ready.add([document for document in part if document.text.strip()])
                progress(len(part))
            ready.indexes.get("default").catch_up()
            yield Indexed(ready, "default", dataset, read=read)
        finally:
            ready.close()


class Server:
    """A running server, asked over HTTP; `read` is false where only its ranking is wanted."""

    def __init__(self, url: str, index: str, dataset: Dataset, key: str | None = None, *, read: bool) -> None:
        """Look up which of the server's documents are contexts of the data set.

        Raises:
            Unavailable: the server does not answer, or not as this version does.
            InvalidInput: it refuses; its own words are told.
        """
        headers = {"X-API-Key": key} if key else {}
        try:
            self._http = httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)
        except httpx2.InvalidURL as error:
            raise InvalidInput(f"{url}: {error}", field="url") from error
        self._index = index
        self._read = read
        try:
            models = self._call("GET", "/readyz")
            self._documents = _Documents({id: self._text(id) for id in self._ids()}, dataset)
        except QAError:
            self.close()
            raise
        self.description: Mapping[str, object] = {
            "model": {"embedder": models["embedder"], "reader": models["reader"]},
            "index": {"documents": len(self._documents.places), "contexts_missing": self._documents.missing},
        }
        self.fingerprint = repr((url, index, models, self._documents))

    def outcomes(self, questions: Sequence[LabelledQuestion]) -> Iterator[Outcome]:
        """Yield outcomes; where the server is not sure, its best guess is the one candidate."""
        for question in questions:
            asked = {"question": question.text, "index": self._index}
            found = self._call("POST", "/v1/search", json={**asked, "top_k": RANKED_PASSAGES})
            ranking = self._documents.contexts(passage["document_id"] for passage in found["passages"])
            if not self._read:
                yield Outcome(question.id, (), given=False, ranking=ranking, timings_ms=found["timings_ms"])
                continue
            made = self._call("POST", "/v1/query", json={**asked, "top_k": CANDIDATES, "include_passages": True})
            yield Outcome(
                question.id,
                tuple(self._candidate(answer) for answer in made["answers"] or [made["best_guess"]] if answer),
                made["has_answer"],
                made["no_answer_score"],
                ranking,
                self._documents.contexts(passage["document_id"] for passage in made["passages"] or ()),
                made["timings_ms"],
            )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _candidate(self, answer: Mapping[str, Any]) -> Candidate:
        span = Span(answer["document_offset"]["start"], answer["document_offset"]["end"])
        place = self._documents.places.get(answer["document_id"])
        return Candidate(answer["answer"], answer["confidence"], place, span)

    def _ids(self) -> Iterator[str]:
        cursor: str | None = None
        while True:
            page = self._call(
                "GET", "/v1/documents", params={"index": self._index, **({"cursor": cursor} if cursor else {})}
            )
            yield from (document["id"] for document in page["documents"])
            cursor = page["next"]
            if cursor is None:
                return

    def _text(self, id: str) -> str:
        path = f"/v1/documents/{quote(id, safe='')}/text"
        return self._response("GET", path, params={"index": self._index}).text

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._response(method, path, **options)
        try:
            made = response.json()
        except ValueError as error:
            raise Unavailable(f"{self._http.base_url}: not an answer of this service ({error})", field="url") from error
        if not isinstance(made, dict):
            raise Unavailable(f"{self._http.base_url}: not an answer of this service", field="url")
        return made

    def _response(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self._http.base_url}: {error}", field="url") from error
        if response.is_error:
            raise InvalidInput(f"{method} {path}: {response.status_code} {response.text[:300]}", field="url")
        return response


class Predictions:
    """What another system answered: a JSON file `{question id: answer}`, "" for none, as the SQuAD scripts read it."""

    def __init__(self, path: Path, dataset: Dataset) -> None:
        """Read the file.

        Raises:
            DatasetError: it is not of that form, or lacks a question of the data set.
        """
        try:
            answers = json.loads(content_of(path))
        except ValueError as error:
            raise DatasetError(f"{path}: not JSON ({error})", field="predictions") from error
        if not isinstance(answers, dict) or not all(isinstance(text, str) for text in answers.values()):
            raise DatasetError(f"{path}: not an object of question ids and answers", field="predictions")
        missing = [question.id for question in dataset.questions if question.id not in answers]
        if missing:
            raise DatasetError(
                f"{path}: no answer for {len(missing)} of {len(dataset.questions)} questions of {dataset.name}, "
                f"question {missing[0]!r} among them",
                field="predictions",
            )
        self._answers: dict[str, str] = answers
        self.description: Mapping[str, object] = {"model": {"predictions": path.name}, "index": None}
        self.fingerprint = repr(sorted(answers.items()))

    def outcomes(self, questions: Sequence[LabelledQuestion]) -> Iterator[Outcome]:
        """Yield outcomes with nothing but the answer."""
        for question in questions:
            text = self._answers[question.id]
            yield Outcome(question.id, (Candidate(text),) if text else (), given=bool(text))


def _models(engine: Engine) -> dict[str, str]:
    return {"embedder": engine.embedder.identity, "reader": engine.reader.identity}


def _sure(result: QueryResult, scale: Scale) -> bool:
    """Tell whether the best of all guesses would be given without being asked for."""
    return bool(result.answers) and result.answers[0].confidence >= scale.threshold


class _Documents:
    """Which documents of an index are which contexts of a data set: those of equal text."""

    def __init__(self, texts: Mapping[str, str], dataset: Dataset) -> None:
        place = {context: number for number, context in enumerate(dataset.contexts)}
        self.places = {id: place.get(text) for id, text in texts.items()}
        self.missing = len(place) - len({number for number in self.places.values() if number is not None})
        self._known = self.missing < len(place)

    def __repr__(self) -> str:
        return repr(sorted(self.places.items()))

    def contexts(self, documents: Iterable[str]) -> tuple[int, ...] | None:
        """Return the places of ranked documents' contexts, None where the index holds none of them.

        A document that is no context counts in the ranking, as a place below 0.
        """
        if not self._known:
            return None
        ranked = (self.places.get(id) for id in dict.fromkeys(documents))
        return tuple(dict.fromkeys(-1 - rank if place is None else place for rank, place in enumerate(ranked)))
