"""A Worker whose workflow does not come to an end, in each of the ways that users have found. It is copied as text."""

import asyncio
import pathlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from workers import WorkflowEntrypoint


def began():
    pathlib.Path("began").write_text("")


class W(WorkflowEntrypoint):
    async def run(self, event, step):
        mode = event["payload"]["mode"]
        if mode.startswith("run_"):
            return await getattr(self, mode)(step)
        return await step.do("s")(getattr(self, mode))()

    # -- what never gives way ------------------------------------------------------------------------------------------

    async def step_spins_hard(self):
        began()
        while True:
            pass

    async def step_time_sleep(self):
        began()
        time.sleep(1000)

    async def step_catches_all(self):
        began()
        while True:
            try:
                time.sleep(1000)
            except BaseException:
                pass

    async def run_spins_hard(self, step):
        began()
        while True:
            pass

    # -- what cannot be stopped ----------------------------------------------------------------------------------------

    async def step_swallows(self):
        began()
        while True:
            try:
                await asyncio.sleep(0.01)
            except BaseException:
                pass

    async def step_swallows_genexit(self):
        began()
        future = asyncio.get_running_loop().create_future()
        while True:
            try:
                await future
            except BaseException:
                pass

    async def finally_hard(self):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            began()
            start = time.monotonic()
            while time.monotonic() - start < 1000:
                pass

    async def finally_spins(self):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            while True:
                await asyncio.sleep(0)

    # -- what gives way and never ends ---------------------------------------------------------------------------------

    async def step_blocks_future(self):
        await asyncio.get_running_loop().create_future()

    async def step_spins_sleep0(self):
        while True:
            await asyncio.sleep(0)

    async def run_spins_sleep0(self, step):
        while True:
            await asyncio.sleep(0)

    async def run_never_future(self, step):
        await asyncio.get_running_loop().create_future()

    async def run_sleeps_for_ever(self, step):
        while True:
            await step.sleep("again", "1 day")

    async def run_task_group_hangs(self, step):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait())

    # -- threads -------------------------------------------------------------------------------------------------------

    async def step_to_thread(self):
        began()
        await asyncio.to_thread(time.sleep, 1000)

    async def step_own_thread(self):
        thread = threading.Thread(target=time.sleep, args=(1000,))
        thread.start()
        await asyncio.get_running_loop().create_future()

    async def step_own_pool(self):
        with ThreadPoolExecutor() as pool:
            await asyncio.get_running_loop().run_in_executor(pool, time.sleep, 1000)
