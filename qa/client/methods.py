"""Turn the functions that build calls into methods of the clients, with their signatures and docstrings."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from qa.client.requests import Call, Pages
from qa.client.sequences import Steps
from qa.deprecation import warn_renamed

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


class Blocking(Protocol):
    """A client whose methods block."""

    def send(self, call: Call[T]) -> T:
        """Send a call and return its result."""

    def run(self, steps: Steps[T]) -> T:
        """Run several calls and return their result."""


class Awaiting(Protocol):
    """A client whose methods are awaited."""

    async def send(self, call: Call[T]) -> T:
        """Send a call and return its result."""

    async def run(self, steps: Steps[T]) -> T:
        """Run several calls and return their result."""


def method(build: Callable[P, Call[T]]) -> Callable[Concatenate[Blocking, P], T]:
    """Return the method that builds and sends a call."""

    def send(client: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.send(build(*args, **kwargs))

    return _describe(send, build)


def steps_method(build: Callable[P, Steps[T]]) -> Callable[Concatenate[Blocking, P], T]:
    """Return the method that runs several calls."""

    def run(client: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.run(build(*args, **kwargs))

    return _describe(run, build)


def async_method(build: Callable[P, Call[T]]) -> Callable[Concatenate[Awaiting, P], Coroutine[Any, Any, T]]:
    """Return the coroutine method that builds and sends a call."""

    async def send(client: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client.send(build(*args, **kwargs))

    return _describe(send, build)


def async_steps_method(build: Callable[P, Steps[T]]) -> Callable[Concatenate[Awaiting, P], Coroutine[Any, Any, T]]:
    """Return the coroutine method that runs several calls."""

    async def run(client: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client.run(build(*args, **kwargs))

    return _describe(run, build)


def pages_method(build: Callable[P, Pages[T]]) -> Callable[Concatenate[Blocking, P], Iterator[T]]:
    """Return the method that yields the items of all pages."""

    def iterate(client: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        call_page, cursor = build(*args, **kwargs), None
        while True:
            items, cursor = client.send(call_page(cursor))
            yield from items
            if cursor is None:
                return

    return _describe(iterate, build, "Iterator[{}]")


def async_pages_method(build: Callable[P, Pages[T]]) -> Callable[Concatenate[Awaiting, P], AsyncIterator[T]]:
    """Return the method that yields the items of all pages, for `async for`."""

    async def iterate(client: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        call_page, cursor = build(*args, **kwargs), None
        while True:
            items, cursor = await client.send(call_page(cursor))
            for item in items:
                yield item
            if cursor is None:
                return

    return _describe(iterate, build, "AsyncIterator[{}]")


def renamed(new: str, function: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Return a method that works as before, but warns that it is deprecated.

    Args:
        new: name of the method to use instead.
        function: the method.
    """

    def call(client: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        name = type(client).__name__
        warn_renamed(f"{name}.{function.__name__}", f"{name}.{new}")
        return function(client, *args, **kwargs)

    functools.update_wrapper(call, function)
    return call


def _describe(function: Callable[..., T], build: Callable[..., Any], result_form: str = "{}") -> Callable[..., T]:
    """Give a method the name, docstring and signature of the function that builds its call."""
    signature = inspect.signature(build)
    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # `Call[T]`, `Steps[T]` or `Pages[T]`, unevaluated.
    result = result_form.format(str(signature.return_annotation).partition("[")[2].removesuffix("]"))
    function.__name__ = function.__qualname__ = build.__name__
    function.__doc__ = build.__doc__
    function.__module__ = build.__module__
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[client, *signature.parameters.values()], return_annotation=result
    )
    return function
