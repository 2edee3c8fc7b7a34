"""Builds settings from the environment, with errors that name each variable at fault."""

from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from operations.settings.errors import format_json_error, format_validation_error
from runtime.errors import ConfigurationError

AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def read_settings(settings: type[AnySettings]) -> AnySettings:
    """Build settings from the environment.

    Raises:
        ConfigurationError: one line that names each variable at fault.
    """
    try:
        return settings()
    except ValidationError as error:
        raise ConfigurationError(format_validation_error(error, settings)) from None
    except SettingsError as error:
        raise ConfigurationError(format_json_error(error, settings)) from None
