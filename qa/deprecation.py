"""Names of version 0.1 that keep working until the next version, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any


def warn_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that a name is deprecated.

    Args:
        old: the deprecated name.
        new: the name to use instead.
        stacklevel: 3 points at the caller of the function that calls this one.
    """
    warnings.warn(f"{old} is deprecated; use {new}", DeprecationWarning, stacklevel=stacklevel)


class RenamedAttribute:
    """A class attribute that warns, and returns another attribute of the same object."""

    def __init__(self, new: str) -> None:
        self._new = new

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._old = owner.__name__, name

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        warn_renamed(f"{self._owner}.{self._old}", f"{self._owner}.{self._new}")
        return getattr(instance, self._new)


def forward_renamed(owner: str, part: str, names: Mapping[str, str]) -> Callable[[Any, str], Any]:
    """Return a `__getattr__` that warns, and returns a renamed attribute of a part of the object.

    Args:
        owner: how the warning names the object.
        part: attribute of the object that has the renamed attributes.
        names: new names by deprecated names.
    """

    def get(instance: Any, name: str) -> Any:
        if name not in names:
            raise AttributeError(
                f"{type(instance).__name__!r} object has no attribute {name!r}", name=name, obj=instance
            )
        warn_renamed(f"{owner}.{name}", f"{owner}.{part}.{names[name]}")
        return getattr(getattr(instance, part), names[name])

    return get
