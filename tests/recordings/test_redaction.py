"""What is secret stands nowhere in a recording, in no form that a program writes it in; what is not secret stays."""

from datetime import UTC, datetime

import pytest

from pytest_workflows.recordings import LogLine, Recording, is_unknown, tag
from pytest_workflows.recordings.format.matching import can_match
from pytest_workflows.recordings.format.redaction import Secrets

SECRET = "sens_abcdefgh"
HIDDEN = {"$type": "unknown", "reason": "redacted"}


def cleaned(value, *outputs, keys=()):
    """A value beside these sensitive outputs, as a recording has it."""
    given = Recording(instance_id="a", status="complete", output=tag(value))
    return Secrets([given], keys, map(tag, outputs)).recordings[0].output


def logged(text, *outputs):
    line = LogLine(at=datetime(2026, 1, 1, tzinfo=UTC), source="stdout", text=text)
    return Secrets([Recording("a", "complete", log=[line])], (), map(tag, outputs)).recordings[0].log[0].text


@pytest.mark.parametrize("output", [SECRET, {"key": SECRET}, [{"deep": [SECRET]}], {1: SECRET}, (SECRET,), {SECRET}])
def test_a_text_of_a_sensitive_output_is_taken_out_of_every_value(output):
    assert cleaned({"t": SECRET, "h": [f"Bearer {SECRET}"]}, output) == {"t": "[REDACTED]", "h": ["Bearer [REDACTED]"]}


def test_keys_of_objects_are_names_and_no_secrets():
    assert cleaned({"session_token": 1, "note": "session_token"}, {"session_token": SECRET}) == {
        "session_token": 1,
        "note": "session_token",
    }


@pytest.mark.parametrize("value", [{SECRET: 1}, {f"key:{SECRET}": 1}, {SECRET: 1, 2.5: 3}])
def test_an_object_with_a_secret_as_its_key_is_unknown(value):
    assert cleaned([value, 1], SECRET) == [HIDDEN, 1]


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("abc", "abc", "abc"),
        ("abcd", "it is abcd, not abcde", "it is [REDACTED], not abcde"),
        ("abcdef", "xabcdefx", "x[REDACTED]x"),
        ("    ", "a    b", "a    b"),
        ("REDACTED", "REDACTED", "REDACTED"),
        ('it\'s "so"', repr('it\'s "so"'), "'[REDACTED]'"),
        ("line one\nline two", r'{"k": "line one\nline two"}', '{"k": "[REDACTED]"}'),
        ("line one\nline two", "line two", "[REDACTED]"),
        ("schl\u00fcssel", '"schl\\u00fcssel" schl\u00fcssel', '"[REDACTED]" [REDACTED]'),
        ("\ud800 secret", "\\ud800 secret", "[REDACTED]"),
        (b"sens_bytes", "b'sens_bytes'", "b'[REDACTED]'"),
        (ValueError("sens_error"), "sens_error", "[REDACTED]"),
        (12345678, "pin 12345678", "pin [REDACTED]"),
        (1234, "pin 1234", "pin 1234"),
    ],
)
def test_which_texts_are_taken_out_of_what_was_printed(secret, text, expected):
    assert logged(text, secret) == expected


def test_the_longer_of_two_secrets_goes_first():
    assert logged("sens_one_more", "sens_one", "sens_one_more") == "[REDACTED]"


@pytest.mark.parametrize(
    ("value", "output"),
    [
        (12345678, 12345678),
        (-12345678, 12345678),
        (2**70, {"key": 2**70}),
        (b"..\x00\x01\x02\x03..", b"\x00\x01\x02\x03"),
        (b"key=sens_abcdefgh", SECRET),
        ({12345678, 1}, 12345678),
        ({"pin": 1234}, {"pin": 1234}),
        (["a", 1], ["a", 1]),
    ],
)
def test_what_is_no_text_is_unknown_where_it_stands_again(value, output):
    assert cleaned([value], output) == [HIDDEN]


@pytest.mark.parametrize("value", [1234, True, None, "", [], {}, {"ok": True}, 1.5, b"ab", 2**70, {1, 2}])
def test_what_says_little_stays_where_it_stands_again(value):
    assert cleaned([value], {"a": 1234, "b": [True, None, "", 1.5, b"ab"]}, {"ok": True}, {}, []) == [tag(value)]


@pytest.mark.parametrize("value", [(SECRET, 1), {SECRET, "a"}, {2.5: SECRET}, Exception(SECRET), object])
def test_values_with_a_tag_keep_it(value):
    kept = cleaned(value, SECRET)

    assert kept["$type"] == tag(value)["$type"]
    assert SECRET not in str(kept)


def test_what_stands_under_a_secret_key_is_secret_everywhere():
    value = {"token": "tok_12345678", "Card": {"number": "4111-1111"}, "pin": 1, "t": "tok_12345678 4111-1111"}

    assert cleaned(value, keys=["Token", "card", "PIN"]) == {
        "token": "[REDACTED]",
        "Card": HIDDEN,
        "pin": HIDDEN,
        "t": "[REDACTED] [REDACTED]",
    }


def test_a_secret_of_one_instance_is_taken_out_of_the_others():
    first = Recording(instance_id="a", status="complete", params={"token": "tok_12345678"})
    second = Recording(instance_id="b", status="complete", output="got tok_12345678")

    assert Secrets([first, second], ["token"]).recordings[1].output == "got [REDACTED]"


def test_nothing_is_touched_without_secrets():
    given = Recording(instance_id="a", status="complete", output="tok_12345678")

    assert Secrets([given], ["token"]).recordings == [given]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (HIDDEN, {"a": 1}, True),
        ({"a": "one"}, {"a": HIDDEN}, True),
        ({"a": 1, "b": HIDDEN}, {"a": 2, "b": 1}, False),
        ({"a": HIDDEN}, {"b": HIDDEN}, False),
        ([1, HIDDEN], [1], False),
        ("[REDACTED]", "tok_1", True),
        ("tok\n1", "[REDACTED]", True),
        ("Bearer [REDACTED]", "Bearer tok_1", True),
        ("Bearer [REDACTED]", "Basic tok_1", False),
        ("a [REDACTED] b [REDACTED]", "a 1 b 2", True),
        ("a [REDACTED] b [REDACTED]", "a 1 c 2", False),
        ("[REDACTED]-1", "x[REDACTED]", True),
        ("a[REDACTED]-1", "b[REDACTED]", False),
        ("a[REDACTED]-1", "a[REDACTED]-2", False),
        ("a", "b", False),
        ("[REDACTED]", 1, False),
    ],
)
def test_what_is_not_known_is_no_difference(a, b, expected):
    assert can_match(a, b) is expected
    assert can_match(b, a) is expected
    assert is_unknown(HIDDEN)
