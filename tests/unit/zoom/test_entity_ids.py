"""Which texts can be ids."""

import pytest

from zoom.entity_ids import is_id


@pytest.mark.parametrize(
    "text", ["", ".", "..", "me", "ME", "somebody@example.com", "a\x00b", "a\nb", "x" * 201]
)
def test_what_would_mean_another_thing_is_no_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("text", ["u", "x" * 200, "aB3/+==", "a.b"])
def test_zooms_ids_are_ids(text: str) -> None:
    assert is_id(text)
