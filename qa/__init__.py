"""spanlight: answers that are exact spans of your documents, with how sure they are, or an honest "no answer".

import qa

engine = qa.open("indexes")
print(engine.ask("When does the library open?").answers)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.factory import open_engine as open

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def __getattr__(name: str) -> Any:
    # The engine's libraries take most of a second to import: the client and the types must not wait for them.
    if name == "open":
        from qa.factory import open_engine

        return open_engine
    raise AttributeError(name)
