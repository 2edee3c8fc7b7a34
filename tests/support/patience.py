"""How long a test waits for what must come; a loaded machine may take many times the usual.

No test measures its machine: a wait ends when what it waits for is there, and fails only when
that long has passed, which means that it hangs. `timeout` in pyproject.toml is longer still, so
that the failure names the wait.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

HANG_GUARD_S = 180.0
POLL_S = 0.05


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    what: str,
    *,
    progress: Callable[[], object] = lambda: None,
) -> None:
    """Wait for the condition; each change of `progress` gives the whole patience again.

    Raises:
        AssertionError: nothing moved for `HANG_GUARD_S`; the message says what did not come.
    """
    loop = asyncio.get_running_loop()
    seen, since_s = progress(), loop.time()
    while True:
        met = condition()
        if (await met) if inspect.isawaitable(met) else met:
            return
        if (now := progress()) != seen:
            seen, since_s = now, loop.time()
        if loop.time() - since_s > HANG_GUARD_S:
            raise AssertionError(f"it hangs: {what} did not come; last seen: {seen}")
        await asyncio.sleep(POLL_S)
