"""A loop of steps: each round has the same names, and its occurrence tells them apart."""

from datetime import timedelta

import pytest

from pytest_workflows import introspect_workflow_instance

MODEL = {"id": "model", "params": {"target_loss": 0.1, "learning_rate": 0.5}}


async def test_it_trains_until_the_loss_is_low_enough(workflow_env, workflow_clock, cluster):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {
            "status": "good enough",
            "checkpoint": "checkpoint-4",
            "losses": [0.9, 0.5, 0.2, 0.08],
        }
        assert [checkpoint for checkpoint, _ in cluster.trained] == [
            None,
            "checkpoint-1",
            "checkpoint-2",
            "checkpoint-3",
        ]
        assert workflow_clock.now - started == timedelta(hours=4)


async def test_a_person_stops_it_in_the_second_round(workflow_env, workflow_worker):
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_step_result(("train", 2))

        await workflow_worker.fetch("/stop/model", method="POST")
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {
            "status": "stopped",
            "checkpoint": "checkpoint-2",
            "losses": [0.9, 0.5],
        }


async def test_a_round_that_made_it_worse_halves_the_rate(workflow_env, cluster):
    cluster.losses = [0.5, 0.6, 0.05]
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_status("complete")

        assert [rate for _, rate in cluster.trained] == [0.5, 0.5, 0.25]


async def test_it_gives_up_after_eight_rounds(workflow_env, cluster):
    cluster.losses = [0.9] * 8
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_status("complete")

        assert (await instance.get_output())["status"] == "gave up"
        assert len(cluster.trained) == 8


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_a_single_round_is_mocked_by_its_occurrence(workflow_env, cluster):
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        async with instance.modify() as m:
            m.mock_step_error(("train", 2), RuntimeError("out of memory"), times=1)
            m.mock_step_result(("evaluate", 3), 0.01)
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_status("complete")

        assert (await instance.get_output())["losses"] == [0.9, 0.5, 0.01]
        assert [len(step.attempts) for step in instance.steps if step.name == "train"] == [1, 2, 1]


async def test_a_round_that_never_works_ends_the_training(workflow_env, workflow_clock):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        async with instance.modify() as m:
            m.mock_step_error("train", RuntimeError("out of memory"))
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_status("errored")

        assert workflow_clock.now - started == timedelta(minutes=5 + 5)
        assert "out of memory" in str(instance.exception)


@pytest.mark.parametrize("round", [1, 2, 3])
async def test_after_a_crash_no_round_is_trained_twice(workflow_env, workflow_clock, cluster, round):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.TRAINING, "model") as instance:
        await workflow_env.TRAINING.create(MODEL)
        await instance.wait_for_step_result(("evaluate", round))

        await instance.crash()
        await instance.wait_for_status("complete")

        assert (await instance.get_output())["losses"] == [0.9, 0.5, 0.2, 0.08]
        assert len(cluster.trained) == 4
        assert workflow_clock.now - started == timedelta(hours=4)
