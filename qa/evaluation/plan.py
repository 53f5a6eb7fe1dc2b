"""Plan an evaluation: load and check the data sets, and open the systems that answer them."""

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
from qa.evaluation.remote_system import RemoteSystem
from qa.evaluation.runner import check_mode, open_local_system
from qa.evaluation.saved_answers import SavedAnswers
from qa.evaluation.suite import Entry, load_suite
from qa.evaluation.systems import Mode, Progress, System, sample


@dataclass(frozen=True, slots=True)
class Target:
    """The system to evaluate: by default the models, on each data set's own contexts.

    Attributes:
        index: name of an existing index.
        url: address of a running server; `index` then names one of its indexes.
        key: API key for the server.
        answers: a predictions file of another system.
    """

    index: str | None = None
    url: str | None = None
    key: str | None = None
    answers: Path | None = None

    def check(self, mode: Mode) -> None:
        """Check that the options fit each other and the mode.

        Raises:
            InvalidInput: they do not.
        """
        if self.answers and (self.index or self.url):
            raise InvalidInput("cannot be combined with an index or a server", field="answers")
        if self.answers and not mode.gives_answers:
            raise InvalidInput("a predictions file has answers alone; use mode end-to-end or reader", field="answers")
        if (self.index or self.url) and mode is Mode.READER:
            raise InvalidInput("with an index or a server, use mode end-to-end, retrieval or reranked", field="mode")
        if self.url and mode.names_document:
            raise InvalidInput(f"mode {mode} cannot ask a server; use --index", field="mode")

    @property
    def own_contexts(self) -> bool:
        """Whether the models answer from each data set's own contexts."""
        return self.index is None and self.url is None and self.answers is None


_DEFAULT_TARGET = Target()


@dataclass(frozen=True, slots=True)
class Plan:
    """The data sets to evaluate, loaded and checked, and notes for the user before the run."""

    runs: tuple[tuple[Entry, Dataset], ...]
    notes: tuple[str, ...]


def plan(
    paths: Sequence[Path],
    mode: Mode,
    limit: int | None,
    target: Target = _DEFAULT_TARGET,
    documents: Path | None = None,
) -> Plan:
    """Read data sets and suites (`.toml`), and check that the target supports their modes.

    Args:
        paths: data sets and suites; a suite has its own modes and limits.
        mode: mode for the data sets outside suites.
        limit: maximum number of questions of each set; if a suite has a limit too, the smaller one counts.
        target: the system to evaluate.
        documents: folder of the files that the data sets outside suites name; None for the folder `docs` beside each.

    Raises:
        DatasetError: a file is wrong, there is nothing to evaluate, or two sets have the same name and mode.
        InvalidInput: the target does not support one of the modes.
    """
    entries, notes = list_entries(paths, mode, limit, documents)
    loaded = load_datasets(entries)
    runs = tuple((entry, loaded[entry.path]) for entry in entries)
    names: set[tuple[str, Mode]] = set()
    for entry, dataset in runs:
        check_mode(dataset, entry.mode)
        target.check(entry.mode)
        if (dataset.name, entry.mode) in names:
            raise DatasetError(
                f"{entry.path}: a set named {dataset.name} in mode {entry.mode} is already planned; rename the file",
                field="dataset",
            )
        names.add((dataset.name, entry.mode))
    return Plan(runs, (*notes, *label_warnings(list(loaded.values()))))


def list_entries(
    paths: Sequence[Path], mode: Mode, limit: int | None, documents: Path | None = None
) -> tuple[list[Entry], list[str]]:
    """Return the entries of data sets and suites, and notes on a suite's missing optional sets.

    The arguments are as for `plan`.

    Raises:
        DatasetError: a suite is wrong, or there is nothing to evaluate.
    """
    entries: list[Entry] = []
    notes: list[str] = []
    for path in paths:
        if path.suffix == ".toml":
            suite_entries, missing = load_suite(path)
            entries += [entry.with_limit(limit) for entry in suite_entries]
            notes += [f"{path}: {name} not found, skipped" for name in missing]
        else:
            entries.append(Entry(path, mode, limit, documents=documents))
    if not entries:
        raise DatasetError(f"{', '.join(map(str, paths))}: nothing to evaluate", field="dataset")
    return entries, notes


def load_datasets(entries: Sequence[Entry]) -> dict[Path, Dataset]:
    """Read each data set once.

    Raises:
        DatasetError: a data set is missing or wrong.
    """
    folders = {entry.path: entry.documents for entry in entries}
    return {path: load_dataset(path, documents) for path, documents in folders.items()}


@contextmanager
def open_system(
    entry: Entry, dataset: Dataset, target: Target, engine: Callable[[], Engine], progress: Progress
) -> Iterator[System]:
    """Open the system to evaluate; `engine` is called only if the system needs the models."""
    if target.answers:
        yield SavedAnswers(target.answers, sample(dataset, entry.mode, entry.limit))
    elif target.url:
        with closing(RemoteSystem(target.url, target.index or "default", dataset, entry.mode, target.key)) as system:
            yield system
    elif target.index:
        yield IndexSystem(engine(), target.index, dataset, entry.mode)
    else:
        with open_local_system(engine(), dataset, entry.mode, progress) as system:
            yield system


def count_steps(entry: Entry, dataset: Dataset, target: Target) -> int:
    """Return the number of contexts and questions for the progress bar."""
    contexts = len(dataset.contexts) if target.own_contexts and entry.mode is not Mode.READER else 0
    return contexts + len(sample(dataset, entry.mode, entry.limit).questions)
