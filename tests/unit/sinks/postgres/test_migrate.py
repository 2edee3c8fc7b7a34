"""How far a database is migrated, by the requested phases."""

from collections.abc import Sequence

import pytest

from runtime.errors import ConfigurationError
from sinks.postgres.migrate import Phase, Revision, last_step

CHAIN = (
    Revision("1", "pre"),
    Revision("2", "pre"),
    Revision("3", "post"),
    Revision("4", "pre"),
    Revision("5", "post"),
)


@pytest.mark.parametrize(
    ("present", "phases", "target"),
    [
        (None, ("pre",), "5"),
        (None, ("post",), "5"),
        ("1", ("pre",), "2"),
        ("2", ("post",), "3"),
        ("3", ("pre",), "4"),
        ("4", ("pre",), "4"),
        ("4", ("post",), "5"),
        ("5", ("pre",), "5"),
        ("5", ("post",), "5"),
        ("1", ("pre", "post"), "5"),
    ],
)
def test_steps_are_taken_in_order_as_far_as_their_phase(
    present: str | None, phases: Sequence[Phase], target: str
) -> None:
    assert last_step(CHAIN, present, phases) == target


@pytest.mark.parametrize(
    ("present", "phases", "message"),
    [
        ("2", ("pre",), "revision 3 comes first: run `zcc migrate --phase post`, once no sink"),
        ("1", ("post",), "revision 2 comes first: run `zcc migrate --phase pre`$"),
        ("9", ("pre",), "revision 9, which this version does not know: its last one is 5"),
    ],
)
def test_steps_do_not_overtake_each_other(
    present: str, phases: Sequence[Phase], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        last_step(CHAIN, present, phases)
