"""The tables of the bindings' pages are what the tests and the observations say."""

import pytest
import tables


@pytest.mark.parametrize("page", tables.OBSERVED)
def test_the_table_of_a_page_is_up_to_date(page):
    text = (tables.DOCS / f"{page}.md").read_text(encoding="utf-8")

    assert text == tables.page_with_table(page), "run: python tests/standins/tables.py"


def test_every_fact_stands_on_a_page_and_once():
    found = list(tables.facts())

    assert {fact.page for fact in found} == set(tables.OBSERVED)
    assert len({(fact.page, fact.text) for fact in found}) == len(found)
