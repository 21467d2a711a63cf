"""The table of rules in the docs is what the tests say."""

import table


def test_the_table_of_rules_in_the_docs_is_up_to_date():
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), "run: python tests/conformance/table.py"


def test_every_test_of_a_rule_is_in_the_table():
    found = list(table.rules())

    assert len(found) > 200
    assert len({(file, test) for *_, file, test in found}) == len(found)
