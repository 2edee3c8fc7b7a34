"""Whom to erase, read from lines."""

import pytest

from operations.postgres.person_file import read_person
from runtime.errors import ConfigurationError


def test_values_of_one_consumer_are_read() -> None:
    lines = [
        "# ticket 7\n",
        "\n",
        "consumer-number: +1 555 010 7001\n",
        " email :a@b.example ",
        "email: c@d",
    ]
    assert read_person(lines) == {
        "consumer-number": ["+1 555 010 7001"],
        "consumer-id": [],
        "email": ["a@b.example", "c@d"],
        "user": [],
    }


def test_a_user_is_named_alone() -> None:
    assert read_person(["user: U1"])["user"] == ["U1"]


@pytest.mark.parametrize(
    "lines",
    [[], ["# nobody"], ["user: U1", "user: U2"], ["user: U1", "consumer-id: C1"]],
)
def test_exactly_one_person_must_be_named(lines: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="name one person"):
        read_person(lines)


@pytest.mark.parametrize("line", ["+15550107001", "number: +15550107001", "email:", "email"])
def test_a_line_of_another_form_is_refused_without_its_value(line: str) -> None:
    with pytest.raises(ConfigurationError, match="line 2: expected consumer-number") as refused:
        read_person(["", line])
    assert "5550107001" not in str(refused.value)
