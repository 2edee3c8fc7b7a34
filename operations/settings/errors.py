"""Pure: formats errors of settings in one line each, without the values."""

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError


def format_validation_error(error: ValidationError, settings: type[BaseSettings]) -> str:
    """Return every error of a settings class, by environment variable."""
    prefix = settings.model_config.get("env_prefix", "")
    return "; ".join(
        f"{_variable(prefix, problem['loc'])}: {_cause(problem['msg'])}"
        for problem in error.errors(include_input=False, include_url=False)
    )


def format_json_error(error: SettingsError, settings: type[BaseSettings]) -> str:
    """Return which environment variable of a settings class should hold JSON and does not.

    The library names the field only in its message.
    """
    prefix, message = settings.model_config.get("env_prefix", ""), str(error)
    fields = [name for name in settings.model_fields if f'"{name}"' in message]
    return f"{_variable(prefix, tuple(fields))}: expected JSON"


def _variable(prefix: str, location: tuple[int | str, ...]) -> str:
    if not location:
        return "settings"
    return f"{prefix}{location[0]}".upper()


def _cause(message: str) -> str:
    return message.removeprefix("Value error, ").replace("\n", " ")
