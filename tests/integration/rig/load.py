# SPDX-License-Identifier: Apache-2.0
"""Callers who call without end while something happens to what they call."""

import asyncio

from . import crowd


class Load:
    """Callers on kept connections who call without end until they are told to stop. Each param is
    given once, and must come back."""

    def __init__(self, address, callers: int):
        self.address = address
        self.calls = 0
        self.failed: list = []
        self._callers = callers
        self._over = False

    async def _call(self, caller: crowd.Caller, name: str):
        number = 0
        while not self._over:
            nonce = f"{name}-{number}"
            answer = await caller.call("up", "m", [nonce])
            if answer.status != 200 or answer.result != nonce:
                self.failed.append((nonce, answer))
            number += 1
            self.calls += 1

    async def during(self, work):
        """Runs `work`, in a thread, under the load."""
        callers = await crowd.gather_callers(self.address, self._callers)
        tasks = [asyncio.create_task(self._call(caller, str(number)))
                 for number, caller in enumerate(callers)]
        try:
            await asyncio.to_thread(work)
        finally:
            self._over = True
        await asyncio.gather(*tasks)
        for caller in callers:
            caller.close()
