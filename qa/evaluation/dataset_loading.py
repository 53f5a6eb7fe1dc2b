"""Load a data set from a path in any supported format, and warn about labels that are odd but not wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from qa.evaluation.beir import load_beir
from qa.evaluation.datasets import Dataset, LabelledQuestion, check_dataset
from qa.evaluation.labelled_documents import LabelledDocument, load_documents, names_files
from qa.evaluation.squad import parse_squad, read_articles
from qa.evaluation.tables import load_table


def load_dataset(path: Path, documents: Path | None = None) -> Dataset:
    """Read a BEIR folder, a table (`.csv`, `.tsv`, `.jsonl`), or else a SQuAD JSON file.

    Args:
        path: the folder or file.
        documents: folder of the files that a SQuAD file names; see `qa.evaluation.labelled_documents`.

    Raises:
        DatasetError: the path is none of these, or has wrong labels; the message names them.
    """
    if path.is_dir():
        return load_beir(path)
    if path.suffix in (".csv", ".tsv", ".jsonl"):
        return load_table(path)
    articles = read_articles(path)
    if names_files(articles):
        return _dataset_of_documents(path, load_documents(path, documents))
    return parse_squad(path, articles)


def _dataset_of_documents(path: Path, loaded: Sequence[LabelledDocument]) -> Dataset:
    """Return labelled documents as a data set; its name includes the folder, as the files of several are `dev.json`."""
    questions = tuple(
        LabelledQuestion(
            question.id,
            question.text,
            position,
            question.answers,
            evidence=question.evidence,
            items=question.items,
            labels={
                name: value
                for name, value in (("genre", labelled.genre), ("kind", question.kind), ("style", question.style))
                if value
            },
        )
        for position, labelled in enumerate(loaded)
        for question in labelled.questions
    )
    name = f"{path.resolve().parent.name}-{path.stem}"
    lost, unread = sum(len(labelled.lost) for labelled in loaded), [d.file for d in loaded if not d.extracted]
    notes = (
        *([f"{name}: questions left out, as their labels are not in the extracted texts: {lost}"] if lost else ()),
        *(
            [f"{name}: {', '.join(unread)}: not the text that the labels are in, which is used instead"]
            if unread
            else ()
        ),
    )
    documents = tuple(labelled.document for labelled in loaded)
    contexts = tuple(document.text for document in documents)
    return check_dataset(path, (), Dataset(name, contexts, questions, documents=documents, notes=notes))


def summarise(dataset: Dataset) -> str:
    """Return one line with the numbers of questions, contexts and unanswerable questions."""
    line = f"{dataset.name}: {len(dataset.questions):,} questions, {len(dataset.contexts):,} contexts"
    if not dataset.has_spans:
        return f"{line}, relevance labels only"
    return f"{line}, {sum(not question.answerable for question in dataset.questions):,} unanswerable"


def label_warnings(datasets: Sequence[Dataset]) -> list[str]:
    """Return warnings about labels that make the metrics of these sets misleading.

    Beside the notes of each set, there are four kinds: repeated questions, questions labelled both answerable and
    unanswerable, gold answers that are parts of words, and contexts shared by several sets, such as a training and a
    test set. Texts are compared without case and white space.
    """
    warnings: list[str] = []
    for dataset in datasets:
        warnings += dataset.notes
        labels: dict[tuple[str, int], list[bool]] = defaultdict(list)
        for question in dataset.questions:
            labels[_normalise(question.text), question.context].append(question.answerable)
        repeated = sum(len(answerable) - 1 for answerable in labels.values())
        if repeated:
            warnings.append(f"{dataset.name}: {repeated} questions repeat an earlier question on the same context")
        contradictory = sum(len(set(answerable)) == 2 for answerable in labels.values())
        if contradictory:
            warnings.append(
                f"{dataset.name}: {contradictory} questions are labelled both answerable and unanswerable "
                "on the same context"
            )
        partial = sum(
            any(not span.is_of_whole_words(dataset.contexts[q.context]) for span in q.answers)
            for q in dataset.questions
        )
        if partial:
            warnings.append(f"{dataset.name}: {partial} questions have a gold answer that starts or ends inside a word")
    context_sets = [{_normalise(context) for context in dataset.contexts} for dataset in datasets]
    for (first, first_contexts), (second, second_contexts) in combinations(zip(datasets, context_sets, strict=True), 2):
        if shared := len(first_contexts & second_contexts):
            warnings.append(f"{first.name} and {second.name} share {shared} contexts")
    return warnings


def _normalise(text: str) -> str:
    return " ".join(text.casefold().split())
