"""`zcc simulate`: runs the simulator until its events are sent or a signal comes."""

import asyncio

from operations.settings.loading import read_settings
from runtime.errors import ConfigurationError, TransientError
from simulator.service import AccountMismatchError
from simulator.service import run as run_simulator
from simulator.settings import SimulatorSettings
from simulator.webhooks.endpoint import EndpointInvalidError


def run() -> None:
    """Run it with the settings of the environment.

    Raises:
        ConfigurationError: a setting is wrong.
        TransientError: the endpoint of the webhooks does not validate.
    """
    try:
        asyncio.run(run_simulator(read_settings(SimulatorSettings)))
    except AccountMismatchError as error:
        raise ConfigurationError(str(error)) from None
    except EndpointInvalidError as error:
        raise TransientError(str(error)) from None
