"""How values, paths and texts of users stand in messages."""

import pytest

from pytest_workflows.messages.short_repr import (
    brief,
    cut,
    kind_of,
    last_line,
    one_line,
    shown,
    shown_path,
    shown_setting,
)


class Steering:
    def __repr__(self):
        return "\x1b[31mred\u202e"


class Raising:
    def __repr__(self):
        raise ValueError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", "'a\\nb'"),
        ({"b", "a"}, "{'a', 'b'}"),
        (memoryview(b"ab"), "memoryview(b'ab')"),
        ([Steering()], "[\\x1b[31mred\\u202e]"),
        (Raising(), "<Raising, whose repr raised ValueError>"),
        (10**5000, "a whole number of 5001 digits"),
        ([10**5000], "<list, whose repr raised ValueError>"),
        ("\ud800", "'\\ud800'"),
    ],
    ids=["text", "set", "buffer", "steering", "raising", "long number", "long number inside", "surrogate"],
)
def test_a_value_is_shown_whatever_it_is(value, text):
    assert shown(value) == text


def test_a_long_value_keeps_its_beginning_and_its_end():
    text = shown("a" * 500 + "z")

    assert len(text) <= 200
    assert text.startswith("'aaa")
    assert text.endswith("az'")
    assert "a...a" in text


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (None, "null", "null"),
        (True, "true", "true or false (True)"),
        (1, "1", "a number (1)"),
        ([1], "[1]", "a list ([1])"),
        ({"a": None}, "{'a': None}", "a table ({'a': None})"),
    ],
)
def test_a_setting_is_shown_in_the_words_of_its_file(value, text, kind):
    assert shown_setting(value) == text
    assert kind_of(value) == kind


def test_a_path_has_nothing_that_steers_the_terminal():
    assert shown_path("a\x1b[31m/b") == "a\\x1b[31m/b"


def test_the_words_of_somebody_else_stand_on_one_line():
    assert brief("broken\n  here\x1b[0m") == "broken here\\x1b[0m"


def test_a_text_is_cut_at_its_end():
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abc..."
    assert cut("abcdefg", 6, "…") == "abcde…"
    assert one_line(" a\n b ") == "a b"


@pytest.mark.parametrize(
    ("text", "last"), [("", ""), (" \n ", ""), ("one", "one"), ("one\n  two  \n\n", "two"), ("a\r\nb\r\n", "b")]
)
def test_the_last_line_is_the_last_that_says_something(text, last):
    assert last_line(text) == last
