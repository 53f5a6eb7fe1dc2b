from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator

import pytest
from langchain_core.documents import Document as LangChainDocument
from llama_index.core.schema import Node, NodeWithScore, TextNode

from qa.config import Settings
from qa.engine import Engine
from qa.errors import InvalidInput
from qa.integrations.langchain import SpanlightCompressor, SpanlightRetriever
from qa.integrations.llama_index import SpanlightPostprocessor
from qa.types import Document
from tests.conftest import serving
from tests.service.test_service import TEXT


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    engine.add([Document("hours", TEXT, "Opening hours", meta={"kind": "notice"}), Document("cat", "The cat sleeps.")])
    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url:
        yield url


def test_langchain_retriever_returns_passages(url: str) -> None:
    retriever = SpanlightRetriever(url=url, top_k=1)
    (document,) = retriever.invoke("When does the library open?")
    assert document.page_content == TEXT[document.metadata["start"] : document.metadata["end"]]
    assert (document.metadata["document_id"], document.metadata["kind"]) == ("hours", "notice")
    assert asyncio.run(retriever.ainvoke("When does the library open?")) == [document]
    (reranked,) = SpanlightRetriever(url=url, top_k=1, rerank=True).invoke("When does the library open?")
    # Reranked scores are on another scale.
    assert (reranked.page_content, reranked.metadata["score"] > 1) == (document.page_content, True)
    filtered = SpanlightRetriever(url=url, filters={"document_id": "cat"}).invoke("When does the library open?")
    assert [document.metadata["document_id"] for document in filtered] == ["cat"]


def test_langchain_compressor_keeps_what_answers(marking: Engine) -> None:
    documents = [
        LangChainDocument("The cat sleeps.", metadata={"page": 1}),
        LangChainDocument("Hours\n\nThe cat sleeps. The library opens at nine.", metadata={"page": 2}),
    ]
    question = "When does the library open?"
    with serving(marking, Settings(index_dir=marking.indexes.folder)) as url:
        compressor = SpanlightCompressor(url=url)
        (kept,) = compressor.compress_documents(documents, question)
        assert list(asyncio.run(compressor.acompress_documents(documents, question))) == [kept]
        assert not SpanlightCompressor(url=url, threshold=1.0).compress_documents(documents, question)
    assert kept.page_content == "Hours\n\nThe library opens at nine."
    assert kept.metadata == {"page": 2, "score": pytest.approx(0.9526, abs=1e-4)}


def test_llama_index_postprocessor_keeps_what_answers(marking: Engine) -> None:
    text = "Hours\n\nThe cat sleeps. The library opens at nine."
    nodes = [
        NodeWithScore(node=TextNode(text="The cat sleeps.", id_="cat", metadata={"page": 1}), score=0.9),
        NodeWithScore(node=TextNode(text=text, id_="hours", metadata={"page": 2}), score=0.1),
    ]
    question = "When does the library open?"
    with serving(marking, Settings(index_dir=marking.indexes.folder)) as url:
        postprocessor = SpanlightPostprocessor(url=url)
        (kept,) = postprocessor.postprocess_nodes(nodes, query_str=question)
        assert asyncio.run(postprocessor.apostprocess_nodes(nodes, query_str=question)) == [kept]
        assert not SpanlightPostprocessor(url=url, threshold=1.0).postprocess_nodes(nodes, query_str=question)
        assert postprocessor.postprocess_nodes([], query_str=question) == []
        with pytest.raises(InvalidInput, match="pass query_str"):
            postprocessor.postprocess_nodes(nodes)
        with pytest.raises(InvalidInput, match="only nodes with text"):
            postprocessor.postprocess_nodes([NodeWithScore(node=Node())], query_str=question)
    assert (kept.get_content(), kept.node_id) == ("Hours\n\nThe library opens at nine.", "hours")
    assert kept.metadata == {"page": 2}
    assert kept.score == pytest.approx(0.9526, abs=1e-4)
    # The node that was passed in is as it was.
    assert nodes[1].get_content() == text


@pytest.mark.skipif(importlib.util.find_spec("haystack") is None, reason="Haystack is not installed")
def test_haystack_component_answers(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from haystack import Pipeline

    from qa.integrations.haystack import SpanlightAnswerer

    pipeline = Pipeline()
    pipeline.add_component("answerer", SpanlightAnswerer(url=url))
    result = pipeline.run({"answerer": {"query": "Who runs the library?"}})["answerer"]
    answer = result["answers"][0]
    assert "Ortega" in answer.data
    assert TEXT[answer.document_offset.start : answer.document_offset.end] == answer.data
    assert answer.context[answer.context_offset.start : answer.context_offset.end] == answer.data
    assert answer.document.meta["title"] == "Opening hours"
    assert 0 <= result["no_answer_score"] <= 1
    # Haystack 3 loads foreign components only from an allow-list; Haystack 2 has none.
    monkeypatch.setenv("HAYSTACK_DESERIALIZATION_ALLOWLIST", "qa.integrations.haystack")
    assert pipeline.loads(pipeline.dumps()).run({"answerer": {"query": "Who runs the library?"}})
