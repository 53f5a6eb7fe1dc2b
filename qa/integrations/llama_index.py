"""A LlamaIndex node postprocessor that asks a running server."""

from __future__ import annotations

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import SecretStr

from qa.errors import InvalidInput
from qa.integrations.highlighter import prune_on_server


class SpanlightPostprocessor(BaseNodePostprocessor):
    """Cuts nodes down to what answers, below its headings, and drops those in which nothing does.

    The nodes keep their order and ids. Each gets the probability of its best sentence as its score.

    Attributes:
        url: address of the server.
        key: the API key, if the server needs one.
        threshold: minimum probability of a sentence; None applies the calibrated threshold.
    """

    url: str = "http://127.0.0.1:8000"
    key: SecretStr | None = None
    threshold: float | None = None

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex serialises the component."""
        return "SpanlightPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        """Return the nodes that answer, in order.

        Raises:
            InvalidInput: there is no query, or a node has no text, such as one of a picture.
        """
        if query_bundle is None:
            raise InvalidInput("a query is needed to find what answers; pass query_str", field="query_str")
        if not all(isinstance(scored.node, TextNode) for scored in nodes):
            raise InvalidInput("only nodes with text can be cut down; remove the others before", field="nodes")
        texts = [scored.get_text() for scored in nodes]
        key = self.key.get_secret_value() if self.key else None
        return [
            NodeWithScore(node=_with_text(nodes[position], pruned), score=score)
            for position, pruned, score in prune_on_server(self.url, key, query_bundle.query_str, texts, self.threshold)
        ]


def _with_text(scored: NodeWithScore, text: str) -> TextNode:
    """Return a copy of a node with another text; an index may still hold the node itself."""
    node = scored.node.model_copy()
    assert isinstance(node, TextNode)
    node.set_content(text)
    return node
