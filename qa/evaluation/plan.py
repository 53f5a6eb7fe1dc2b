"""What an evaluation run is asked to do ─► data sets that are known to be sound, and the systems that answer them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.engine import Engine
from qa.errors import DatasetError, InvalidInput
from qa.evaluation.dataset_loading import label_warnings, load_dataset
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import IndexSystem
from qa.evaluation.remote_system import Server
from qa.evaluation.runner import check, models
from qa.evaluation.saved_answers import SavedAnswers
from qa.evaluation.suite import Entry, load_suite
from qa.evaluation.systems import Mode, Progress, System


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: by default the models on each set's own contexts.

    Attributes:
        index: name of an existing index.
        url: of a running server; `index` then names one of its indexes.
        key: the server's API key.
        answers: a predictions file.
    """

    index: str | None = None
    url: str | None = None
    key: str | None = None
    answers: Path | None = None

    def check(self, mode: Mode) -> None:
        """Refuse what does not go together.

        Raises:
            InvalidInput: it does not.
        """
        if self.answers and (self.index or self.url):
            raise InvalidInput("answers of a file are not asked of an index or a server", field="answers")
        if self.answers and not mode.gives_answers:
            raise InvalidInput("a file of answers has no rankings to evaluate", field="answers")
        if (self.index or self.url) and mode is Mode.READER:
            raise InvalidInput("an index or a server is evaluated end-to-end, in retrieval or reranked", field="mode")

    @property
    def own_contexts(self) -> bool:
        """Tell whether sets are asked about their own contexts, whatever the mode."""
        return self.index is None and self.url is None and self.answers is None


_OURS = Target()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate, all of it read and checked; and what a user should know before it runs."""

    work: tuple[tuple[Entry, Dataset], ...]
    notes: tuple[str, ...]


def plan(paths: Sequence[Path], mode: Mode, limit: int | None, target: Target = _OURS) -> Plan:
    """Read data sets and suites (`.toml`), and check that the target can be asked what they ask.

    Args:
        paths: of either; a suite brings its own modes and limits.
        mode: for data sets that are named by themselves.
        limit: at most so many questions of each set; the smaller one where a suite has a limit too.
        target: what will be asked.

    Raises:
        DatasetError: a file is wrong, or there is nothing to evaluate, or the same twice.
        InvalidInput: the target cannot be asked in one of the modes.
    """
    entries, notes = named_entries(paths, mode, limit)
    loaded = load_all(entries)
    work = tuple((entry, loaded[entry.path]) for entry in entries)
    named: set[tuple[str, Mode]] = set()
    for entry, dataset in work:
        check(dataset, entry.mode)
        target.check(entry.mode)
        if (dataset.name, entry.mode) in named:
            raise DatasetError(
                f"{entry.path}: there are two sets named {dataset.name} in mode {entry.mode}", field="dataset"
            )
        named.add((dataset.name, entry.mode))
    return Plan(work, (*notes, *label_warnings(list(loaded.values()))))


def named_entries(paths: Sequence[Path], mode: Mode, limit: int | None) -> tuple[list[Entry], list[str]]:
    """Return what data sets and suites name, and notes on what of a suite is not there.

    Raises:
        DatasetError: a suite is wrong, or there is nothing to evaluate.
    """
    entries: list[Entry] = []
    notes: list[str] = []
    for path in paths:
        if path.suffix == ".toml":
            found, absent = load_suite(path)
            entries += [entry.limited(limit) for entry in found]
            notes += [f"{path}: {name} is not there and is left out" for name in absent]
        else:
            entries.append(Entry(path, mode, limit))
    if not entries:
        raise DatasetError(f"{', '.join(map(str, paths))}: there is nothing to evaluate", field="dataset")
    return entries, notes


def load_all(entries: Sequence[Entry]) -> dict[Path, Dataset]:
    """Read each data set once.

    Raises:
        DatasetError: one is wrong.
    """
    return {path: load_dataset(path) for path in dict.fromkeys(entry.path for entry in entries)}


@contextmanager
def opened(
    entry: Entry, dataset: Dataset, target: Target, engine: Callable[[], Engine], progress: Progress
) -> Iterator[System]:
    """Open the system that is to be evaluated; `engine` is only called where our models are needed."""
    if target.answers:
        yield SavedAnswers(target.answers, dataset.head(entry.limit))
    elif target.url:
        with closing(Server(target.url, target.index or "default", dataset, entry.mode, target.key)) as server:
            yield server
    elif target.index:
        yield IndexSystem(engine(), target.index, dataset, entry.mode)
    else:
        with models(engine(), dataset, entry.mode, progress) as system:
            yield system


def steps(entry: Entry, dataset: Dataset, target: Target) -> int:
    """Return how many contexts and questions a progress bar counts."""
    contexts = len(dataset.contexts) if target.own_contexts and entry.mode is not Mode.READER else 0
    return contexts + len(dataset.head(entry.limit).questions)
