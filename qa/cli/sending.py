"""Files to a running server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from qa.cli import output
from qa.cli.shared import opened_client, report_all
from qa.client import Client
from qa.documents.files import files_in
from qa.errors import InvalidInput, QAError, Unavailable
from qa.wire.documents import MAX_WAITED_FOR, UploadedOut

# Seconds between two looks at a job.
_LOOK_EVERY = 0.5


def send(paths: Sequence[str], index: str, url: str, as_json: bool) -> None:
    """Give files to a server, one at a time: what cannot be taken in stops none of the others.

    The server knows a file by its name alone, so that of two of one name the second is refused.
    """
    files, errors = files_in([path for path in paths if path != "-"])
    wrong: list[QAError] = [*errors, *(InvalidInput("standard input cannot go to a server") for p in paths if p == "-")]
    done: list[UploadedOut] = []
    first: dict[str, Path] = {}
    with opened_client(url) as client:
        with output.progress("adding", len(files)) as advance:
            for file in files:
                known = first.setdefault(file.path.name, file.path)
                try:
                    if known != file.path:
                        raise InvalidInput(f"has the name of {known}, which it would replace")
                    taken = _taken(client, file.path, index)
                except (QAError, OSError) as error:
                    told = error.message if isinstance(error, QAError) else error.strerror
                    wrong.append(InvalidInput(f"{file.path}: {told}"))
                else:
                    done += taken
                    wrong += [InvalidInput(one.error) for one in taken if one.error]
                advance(1)
        output.uploaded(done, as_json)
    report_all(wrong)


def _taken(client: Client, path: Path, index: str) -> Sequence[UploadedOut]:
    """Let a server take a file in, by a job if it is large."""
    if path.stat().st_size <= MAX_WAITED_FOR:
        return client.upload([path], index=index).files
    job = client.upload_later([path], index=index)
    while job.state == "running":
        time.sleep(_LOOK_EVERY)
        job = client.job(job.id)
    if job.state != "done":
        raise Unavailable(job.error or job.state)
    return job.files or ()
