"""API keys, stored as hashes: what each caller may do, and with which index.

indexes/.keys.json       keys created with `qa key create`. While this file exists, every call needs a key, even if the
                         file lists none.
indexes/.keys.required   keys have been created here. If `.keys.json` is missing, every call is rejected: a lost file
                         must not turn every client into an administrator.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from qa.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthorized, Unavailable
from qa.index.durable import PRIVATE_FOLDER, file_lock, write_durably
from qa.validation import check_document_id, check_index_name

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# Not valid names of an index.
_FILE, _LOCK, _REQUIRED = ".keys.json", ".keys.lock", ".keys.required"
_PREFIX = "sl_"


@dataclass(frozen=True, slots=True)
class Key:
    """What a key permits.

    Attributes:
        name: identifies the key in lists and when it is revoked.
        scope: read: ask questions and give feedback; write: also change documents; admin: also create, delete and
            rebuild indexes.
        index: name of the only index that the key permits; None permits all.
        created_at: in UTC.
        sha256: hash of the secret key, which only the caller knows.
    """

    name: str
    scope: Scope
    index: str | None
    created_at: str
    sha256: str

    def check_scope(self, scope: Scope) -> None:
        """Check that the key permits a call that needs this scope.

        Raises:
            Forbidden: it does not.
        """
        if SCOPES.index(self.scope) < SCOPES.index(scope):
            raise Forbidden(
                f"this call needs a key with scope {scope!r}, and this key has scope {self.scope!r}; create one with"
                f" `qa key create NAME --scope {scope}`"
            )

    def check_index(self, name: str) -> None:
        """Check that the key permits calls to this index.

        Raises:
            Forbidden: it is restricted to another index.
        """
        if self.index not in (None, name):
            raise Forbidden(f"this key is valid for index {self.index!r} only, not for {name!r}", field="index")


ANONYMOUS = Key("anonymous", "admin", None, "", "")
"""The key of callers that carry none, where none is required."""


class Keys:
    """The keys of one folder of indexes, and those in the settings, which permit everything.

    Any process may create and revoke keys; a running server applies the change to its next request.
    """

    def __init__(self, folder: Path, configured: Collection[str] = ()) -> None:
        self._folder = folder
        self._configured = [Key("QA_API_KEYS", "admin", None, "", _hash(key)) for key in configured]
        # The state of the file when it was last read, and its keys.
        self._cached: tuple[tuple[int, int, int] | None, Sequence[Key]] = (None, ())
        self._seen = False

    def required(self) -> bool:
        """Return whether calls need a key. Once this process has seen keys, they always do."""
        if not self._seen and (_may_exist(self._folder / _FILE) or _may_exist(self._folder / _REQUIRED)):
            self._seen = True
            # Folders of earlier versions have no marker; one that cannot be written counts for this process only.
            with suppress(OSError):
                self._mark()
        return self._seen or bool(self._configured)

    def authenticate(self, authorization: str | None, x_api_key: str | None) -> Key:
        """Return the key that a request carries as `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises:
            Unauthorized: a key is required, and the request carries none or an unknown one.
            Unavailable: a key is required, and the keys cannot be read.
        """
        if not self.required():
            return ANONYMOUS
        scheme, _, token = (authorization or "").partition(" ")
        sent = [value for value in (token.strip() if scheme.lower() == "bearer" else "", x_api_key or "") if value]
        hashes = [_hash(value) for value in sent]
        # Compares with every key, each in constant time, so that timing reveals neither a key nor its position.
        keys = [*self._configured, *self.all()]
        matches = [key for key in keys for sha256 in hashes if hmac.compare_digest(key.sha256, sha256)]
        if not matches:
            raise Unauthorized(
                "missing or unknown API key; send one as 'Authorization: Bearer KEY' or 'X-API-Key: KEY' (create a key"
                " with `qa key create`)"
            )
        return matches[0]

    def create(self, name: str, scope: str, index: str | None = None) -> str:
        """Create a key and return it. It cannot be shown again.

        Raises:
            InvalidInput: the name, the scope or the name of the index is not valid.
            Conflict: a key with this name exists.
        """
        check_document_id(name, "name")
        if scope not in SCOPES:
            raise InvalidInput(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}", field="scope")
        if index is not None:
            check_index_name(index)
        self._folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        with file_lock(self._folder / _LOCK):
            # An administrator of this machine may replace a lost file.
            keys = self._read() or ()
            if any(key.name == name for key in keys):
                raise Conflict(
                    f"key {name!r} already exists; use another name, or revoke it with `qa key revoke`", field="name"
                )
            secret = _PREFIX + secrets.token_urlsafe(32)
            created_at = datetime.now(UTC).isoformat(timespec="seconds")
            # Marked first: a crash in between leaves a server that rejects calls, not one that accepts all.
            self._mark()
            self._write([*keys, Key(name, scope, index, created_at, _hash(secret))])
        return secret

    def all(self) -> Sequence[Key]:
        """Return the keys that were created, oldest first.

        Raises:
            Unavailable: the file cannot be read, or is missing though keys have been created. All calls are then
                rejected.
        """
        keys = self._read()
        if keys is None and (self._seen or _may_exist(self._folder / _REQUIRED)):
            raise Unavailable(
                f"{self._folder / _FILE} is missing, so no key can be checked; restore the file or create a key with"
                f" `qa key create` (to serve without keys, delete {_REQUIRED} beside it and restart the server)"
            )
        return keys or ()

    def _read(self) -> Sequence[Key] | None:
        """Return the keys in the file; None if there is no file."""
        path = self._folder / _FILE
        try:
            stat = path.stat()
            state = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if state != self._cached[0]:
                self._cached = (state, [Key(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(f"{path}: cannot read the API keys ({error}); restore the file") from error
        return self._cached[1]

    def revoke(self, name: str) -> None:
        """Revoke a key.

        Raises:
            NotFound: there is no key with this name.
        """
        if all(key.name != name for key in self.all()):
            raise NotFound(f"key {name!r} not found; run `qa key list`", field="name")
        with file_lock(self._folder / _LOCK):
            self._write([key for key in self.all() if key.name != name])

    def _mark(self) -> None:
        path = self._folder / _REQUIRED
        if not _may_exist(path):
            write_durably(path, b"")

    def _write(self, keys: Sequence[Key]) -> None:
        write_durably(self._folder / _FILE, json.dumps([asdict(key) for key in keys], indent=1).encode())


def _may_exist(path: Path) -> bool:
    """Return False only if there certainly is no such file. A file that cannot be looked up may list keys."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _hash(key: str) -> str:
    # Keys are long and random, so a slow hash would add no protection.
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
