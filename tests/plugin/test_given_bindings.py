"""The dict of the fixture `workflow_bindings` where nobody overrides it: a test may fill it, and the next finds it empty."""

from __future__ import annotations

import pytest


def test_what_a_test_puts_into_the_bindings_is_gone_for_the_next_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("i", range(3))
        def test_fills(i, workflow_env, workflow_bindings):
            assert workflow_bindings == {}
            workflow_bindings["BANK"] = i
            assert workflow_env.BANK == i

        def test_without_env(workflow_bindings):
            assert workflow_bindings == {}
            workflow_bindings["BANK"] = 1

        def test_after(workflow_bindings):
            assert workflow_bindings == {}
        """
    )

    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=5)


def test_an_override_of_any_scope_may_add_to_them(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        class TestFunction:
            @pytest.fixture
            def workflow_bindings(self, workflow_bindings):
                return workflow_bindings | {"BANK": 1}

            def test_it(self, workflow_env):
                assert workflow_env.BANK == 1

        class TestSession:
            @pytest.fixture(scope="session")
            def workflow_bindings(self, workflow_bindings):
                return workflow_bindings | {"SHOP": 2}

            def test_it(self, workflow_env):
                assert workflow_env.SHOP == 2
                assert "BANK" not in dir(workflow_env)
        """
    )

    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
