"""Components for workers of tests."""

from collections.abc import Sequence

from runtime.component import Component


def component_of(
    name: str,
    reads: Sequence[str] = (),
    *,
    writes: Sequence[str] = (),
    retry_delays_s: Sequence[int] = (),
) -> Component:
    """Return a component with these topics, whatever the prefix is."""
    return Component(
        name=name,
        kind="processor",
        reads=lambda *, prefix: reads,
        writes=lambda *, prefix: writes,
        retry_delays_s=tuple(retry_delays_s),
        run="",
    )
