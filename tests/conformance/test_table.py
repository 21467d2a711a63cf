"""The table of rules in the docs is what the tests say."""

import table


def test_the_table_of_rules_in_the_docs_is_up_to_date():
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), "run: python tests/conformance/table.py"


def test_every_test_of_a_rule_is_in_the_table():
    found = list(table.rules())

    assert len(found) > 200
    assert len({(file, test) for *_, file, test in found}) == len(found)


def test_every_row_of_the_page_names_the_engine_that_it_was_seen_on():
    tables, lines = [], []
    for line in [*table.PAGE.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")])
        elif lines:
            tables.append(lines)
            lines = []

    legend, *others = tables
    assert legend[0] == ["name", "engine"]
    assert len(others) >= 7
    for header, _, *rows in others:
        place = header.index("seen on")
        assert all(len(row) == len(header) and row[place] for row in rows), header
