"""All cases; each subject is one run of promtool."""

from collections.abc import Mapping

from tests.support.alert_cases.case import Case
from tests.support.alert_cases.ingest import ingest
from tests.support.alert_cases.parts import parts
from tests.support.alert_cases.stores import stores
from tests.support.alert_cases.validation import slow
from tests.support.alert_cases.workers import workers
from tests.support.alert_cases.zoom import zoom

by_subject: Mapping[str, tuple[Case, ...]] = {
    "parts": parts,
    "workers": workers,
    "ingest": ingest,
    "stores": stores,
    "zoom": zoom,
}
cases = tuple(case for group in by_subject.values() for case in group)
every_case = (*cases, *slow)
