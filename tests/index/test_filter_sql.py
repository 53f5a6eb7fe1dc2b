"""A filter selects the same documents in SQL as by its definition, `qa.search.filters.matches`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.index.filter_sql import to_sql
from qa.index.local import LocalIndex
from qa.search.filters import Filter, matches, parse_filter
from tests.conftest import prepare_document, put

METAS: dict[str, dict[str, Any]] = {
    "a": {"year": 2020, "kind": "report", 'odd "name"': "x", "open": True},
    "b": {"year": 2020.0, "kind": "news", "open": False},
    "c": {"year": "2020", "open": 1, "kind": None},
}


def parse(filters: dict[str, Any]) -> Filter:
    filter = parse_filter(filters)
    assert filter is not None
    return filter


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"year": 2020}, {"a", "b"}),
        ({"year": "2020"}, {"c"}),
        ({"open": True}, {"a"}),
        ({"open": 1}, {"c"}),
        ({"kind": "report", "year": 2020}, {"a"}),
        ({'odd "name"': "x"}, {"a"}),
        ({"missing": "x"}, set()),
        ({"kind": "x' OR 1=1 --"}, set()),
        ({"kind": ["news", "report", "x"]}, {"a", "b"}),
        ({"year": [2020, "2020"]}, {"a", "b", "c"}),
        ({"open": [False, 1]}, {"b", "c"}),
        ({"year": {"gte": 2020}}, {"a", "b"}),
        ({"year": {"gt": 2020}}, set()),
        ({"year": {"gt": 2019.5, "lt": 2021}}, {"a", "b"}),
        ({"year": {"gte": "2019", "lte": "2020"}}, {"c"}),
        ({"kind": {"lt": "o"}}, {"b"}),
        ({"document_id": ["a", "c", "zz"]}, {"a", "c"}),
        ({"document_id": "b", "kind": "news"}, {"b"}),
        ({"document_id": {"gt": "a"}}, {"b", "c"}),
        ({"kind": [str(n) for n in range(999)] + ["news"]}, {"b"}),
        ({"document_id": [str(n) for n in range(999)] + ["c"]}, {"c"}),
        ({"title": "Title of a", "uri": {"gte": "file:"}}, {"a"}),
    ],
)
def test_selects_documents_that_match_every_field(
    index: LocalIndex, filters: dict[str, Any], expected: set[str]
) -> None:
    for id, meta in METAS.items():
        put(index, prepare_document(id, f"Text of {id}.", title=f"Title of {id}", uri=f"file:///{id}", meta=meta))
    filter = parse(filters)
    with index.catalog.read() as transaction:
        stored = transaction.passages(transaction.passages_matching(1, filter)).values()
    assert {passage.passage.document_id for passage in stored} == expected
    assert {
        id for id, meta in METAS.items() if matches(filter, id, f"Title of {id}", f"file:///{id}", meta)
    } == expected


NUMBERS = st.sampled_from([0, 1, -1, 1.0, 0.5, -0.0, 2**53, 2**53 + 1, float(2**53), 2**63 - 1, 1e18]) | st.integers(
    -3, 3
)
TEXTS = st.sampled_from(
    ["", "a", "B", "b", "\u00e9", "e\u0301", "1", "1.0", "true", "\U0001f600", "\uffff", "a'b", 'a"\\\n']
)
SCALARS = NUMBERS | TEXTS | st.booleans()
FIELDS = st.sampled_from(["n", "kind", 'odd "name"', "titled"])
BOUNDS = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBERS | TEXTS, min_size=1)
TEXT_BOUNDS = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), TEXTS, min_size=1)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "n": SCALARS | st.lists(SCALARS, min_size=1) | BOUNDS,
        "kind": SCALARS | st.lists(SCALARS, min_size=1) | BOUNDS,
        'odd "name"': SCALARS | st.lists(SCALARS, min_size=1) | BOUNDS,
        "document_id": st.lists(st.sampled_from(["d0", "d1", "d2"]), min_size=1) | TEXT_BOUNDS,
        "title": TEXTS | TEXT_BOUNDS,
        "uri": TEXTS | TEXT_BOUNDS,
    },
)
METADATA = st.dictionaries(FIELDS, SCALARS | st.sampled_from([None, 1e300, -1e300]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS, METADATA), min_size=1, max_size=4),
    st.lists(FILTERS.filter(bool), min_size=1, max_size=5),
)
def test_sql_agrees_with_the_definition(
    attributes: list[tuple[str | None, str | None, dict[str, Any]]], filters: list[dict[str, Any]]
) -> None:
    documents = [(f"d{n}", title, uri, meta) for n, (title, uri, meta) in enumerate(attributes)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE documents (id TEXT, title TEXT, uri TEXT, meta TEXT)")
        connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?)",
            ((*columns, json.dumps(meta, ensure_ascii=False)) for *columns, meta in documents),
        )
        for filter in map(parse, filters):
            condition, parameters = to_sql(filter)
            selected = connection.execute(f"SELECT id FROM documents d WHERE {condition}", parameters)
            expected = {id for id, title, uri, meta in documents if matches(filter, id, title, uri, meta)}
            assert {id for (id,) in selected} == expected, filter
