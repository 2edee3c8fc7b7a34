"""Models of reference entities: business hours and closures."""

from typing import Literal

from schemas.models.base import Maybe, Model

from .record import Reference


class CustomHourRange(Model):
    """A span of a day, as ``HH:MM``."""

    start_time: Maybe[str] = None
    end_time: Maybe[str] = None


class CustomHour(Model):
    """The open spans of a day of the week."""

    day_of_week: Maybe[int] = None
    custom_hour_type: Maybe[int] = None
    custom_hour_ranges: Maybe[tuple[CustomHourRange, ...]] = None


class Hours(Model):
    """When it is open: always, or by the day of the week."""

    hour_type: Maybe[int] = None
    custom_hours: Maybe[tuple[CustomHour, ...]] = None


class BusinessHourState(Model):
    """What the REST API says of business hours."""

    business_hour_id: str
    business_hour_name: Maybe[str] = None
    timezone: Maybe[str] = None
    account_default: Maybe[bool] = None
    hours: Maybe[Hours] = None


class BusinessHourReference(Reference[BusinessHourState]):
    """Business hours; ``id`` is the ``business_hour_id``."""

    entity: Literal["business_hour"]


class Closure(Model):
    """A time at which the set closes what follows it."""

    closure_id: Maybe[str] = None
    closure_name: Maybe[str] = None
    closure_hour_type: Maybe[int] = None
    start_time: Maybe[str] = None
    end_time: Maybe[str] = None
    recurring_frequency: Maybe[int] = None
    recurring_frequency_type: Maybe[int] = None
    recurring_month: Maybe[int] = None
    recurring_week_interval: Maybe[int] = None
    recurring_days_of_week: Maybe[tuple[str, ...]] = None


class ClosureSetState(Model):
    """What the REST API says of a closure set."""

    closure_set_id: str
    closure_set_name: Maybe[str] = None
    timezone: Maybe[str] = None
    account_default: Maybe[bool] = None
    closures: Maybe[tuple[Closure, ...]] = None


class ClosureSetReference(Reference[ClosureSetState]):
    """A closure set; ``id`` is the ``closure_set_id``."""

    entity: Literal["closure_set"]
