"""The page of settings shows each default as an environment variable holds it."""

from typing import Any

import pytest
from pydantic_settings import BaseSettings

from operations.reference_docs.command import all_settings, variables


def lists() -> list[tuple[type[BaseSettings], str, str]]:
    return [
        (kind, name, "" if default == "empty" else default.strip("`"))
        for kind in all_settings
        for (name, field), (_, default, _) in zip(
            kind.model_fields.items(), variables(kind), strict=True
        )
        if isinstance(field.default, tuple)
    ]


@pytest.mark.parametrize(("kind", "name", "default"), lists())
def test_a_list_is_shown_as_the_variable_takes_it(
    kind: type[BaseSettings], name: str, default: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = kind.model_config["env_prefix"]
    monkeypatch.setenv(f"{prefix}{name}".upper(), default)
    required: dict[str, Any] = {
        each: "x" for each, field in kind.model_fields.items() if field.is_required()
    }
    assert getattr(kind(**required), name) == kind.model_fields[name].default


def test_some_defaults_are_lists() -> None:
    assert len(lists()) >= 2
