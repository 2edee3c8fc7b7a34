"""`zcc up`: the whole pipeline on this machine, on real parts, with Zoom played by the simulator."""

import asyncio
import platform
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console

import devstack
from operations.accounting import account
from operations.components import workers
from operations.live import LiveView, stages
from operations.pipeline import Pipeline, Surroundings, environment
from operations.places import Places, latency, look
from operations.report import Report, Sent
from runtime.clock import Clock, SystemClock
from runtime.errors import TransientError
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from schemas.topics import topic_specs
from simulator.company import Company, make_company
from simulator.ledger import Ledger, Totals
from simulator.service import rest_api, send
from simulator.settings import SimulatorSettings
from simulator.stories import event_stream
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.migrate import migrate
from sinks.postgres.settings import PostgresSettings

start_timeout_s: Final = 60.0
_view_interval_s: Final = 1.0
