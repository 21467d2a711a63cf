"""The tables of observations in the docs are what the tests say."""

import observation_table
import pytest


@pytest.mark.parametrize("path", observation_table.pages(), ids=lambda path: path.name)
def test_the_table_of_observations_of_a_page_is_up_to_date(path):
    assert path.read_text(encoding="utf-8") == observation_table.page(path), (
        "run: python tests/bindings/observation_table.py"
    )
