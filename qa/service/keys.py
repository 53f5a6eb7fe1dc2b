"""Keys: who may do what to which index. Only their hashes are kept.

indexes/.keys.json   the keys that `qa key create` made; once it is there every call needs a key, even if none is left
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from qa.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthorized, Unavailable
from qa.index.durable import exclusively, write_durably
from qa.validation import check_document_id, check_index_name

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# No index can be called so.
_FILE, _LOCK = ".keys.json", ".keys.lock"
_PREFIX = "sl_"


@dataclass(frozen=True, slots=True)
class Key:
    """What the bearer of a key may do.

    Attributes:
        name: by which it is listed and revoked.
        scope: read: ask, and give feedback; write: change documents too; admin: make, delete and rebuild indexes too.
        index: the only one it is for; None for all.
        created_at: in UTC.
        sha256: of the key itself, which nobody but its bearer knows.
    """

    name: str
    scope: Scope
    index: str | None
    created_at: str
    sha256: str

    def check_scope(self, scope: Scope) -> None:
        """Refuse what is beyond this key.

        Raises:
            Forbidden: it is.
        """
        if SCOPES.index(self.scope) < SCOPES.index(scope):
            raise Forbidden(f"this key is for {self.scope}; it takes one for {scope}")

    def check_index(self, name: str) -> None:
        """Refuse another index than this key's.

        Raises:
            Forbidden: it is for another one.
        """
        if self.index not in (None, name):
            raise Forbidden(f"this key is for index {self.index!r} only", field="index")


ANYONE = Key("anyone", "admin", None, "", "")
"""Who calls where no key is needed."""


class Keys:
    """The keys of one folder of indexes, and those of the settings, which may do everything.

    Any process may create and revoke; a running server sees it with the next request.
    """

    def __init__(self, folder: Path, configured: Collection[str] = ()) -> None:
        self._folder = folder
        self._configured = [Key("QA_API_KEYS", "admin", None, "", _hash(key)) for key in configured]
        self._read: tuple[tuple[int, int, int] | None, Sequence[Key]] = (None, ())

    def required(self) -> bool:
        """Tell whether a call needs a key."""
        return bool(self._configured) or (self._folder / _FILE).exists()

    def bearer(self, authorization: str | None, x_api_key: str | None) -> Key:
        """Return what a request may do by its headers, `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises:
            Unauthorized: a key is needed, and it carries none that is known.
        """
        if not self.required():
            return ANYONE
        scheme, _, token = (authorization or "").partition(" ")
        given = [value for value in (token.strip() if scheme.lower() == "bearer" else "", x_api_key or "") if value]
        hashes = [_hash(value) for value in given]
        # All are compared, each in constant time: neither a key nor its place in the list can be found by timing.
        known = [*self._configured, *self.all()]
        found = [key for key in known for one in hashes if hmac.compare_digest(key.sha256, one)]
        if not found:
            raise Unauthorized("a valid key is needed: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
        return found[0]

    def create(self, name: str, scope: str, index: str | None = None) -> str:
        """Make a key, and return it: it cannot be shown again.

        Raises:
            InvalidInput: the name, the scope or the index's name cannot be used.
            Conflict: there is a key of that name.
        """
        check_document_id(name, "name")
        if scope not in SCOPES:
            raise InvalidInput(f"one of {', '.join(SCOPES)}, not {scope!r}", field="scope")
        if index is not None:
            check_index_name(index)
        self._folder.mkdir(parents=True, exist_ok=True)
        with exclusively(self._folder / _LOCK):
            keys = self.all()
            if any(key.name == name for key in keys):
                raise Conflict(f"there is a key {name!r}", field="name")
            made = _PREFIX + secrets.token_urlsafe(32)
            self._write([*keys, Key(name, scope, index, datetime.now(UTC).isoformat(timespec="seconds"), _hash(made))])
        return made

    def all(self) -> Sequence[Key]:
        """Return the keys that were made, the oldest first.

        Raises:
            Unavailable: the file cannot be read; nobody is let in then.
        """
        path = self._folder / _FILE
        try:
            stat = path.stat()
            state = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if state != self._read[0]:
                self._read = (state, [Key(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(f"{path}: the keys cannot be read ({error})") from error
        return self._read[1]

    def revoke(self, name: str) -> None:
        """Make a key worthless.

        Raises:
            NotFound: there is none of that name.
        """
        if all(key.name != name for key in self.all()):
            raise NotFound(f"no key {name!r}", field="name")
        with exclusively(self._folder / _LOCK):
            self._write([key for key in self.all() if key.name != name])

    def _write(self, keys: Sequence[Key]) -> None:
        path = self._folder / _FILE
        write_durably(path, json.dumps([asdict(key) for key in keys], indent=1).encode())
        path.chmod(0o600)


def _hash(key: str) -> str:
    # Keys are random and long: a slow hash would protect nothing more.
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
