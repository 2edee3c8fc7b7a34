"""Settings of enrichment that contradict each other are refused."""

import pytest
from pydantic import ValidationError

from processors.enrichment.settings import EnrichmentSettings


def test_an_absence_may_not_be_believed_longer_than_a_name() -> None:
    with pytest.raises(ValidationError, match="ZCC_ENRICHMENT_ABSENT_TTL_S"):
        EnrichmentSettings(cache_ttl_s=10, absent_ttl_s=11)


@pytest.mark.parametrize(
    "name",
    ["deadline_s", "cache_ttl_s", "absent_ttl_s", "cache_entries", "lookups_in_flight"],
)
def test_nothing_may_be_zero(name: str) -> None:
    with pytest.raises(ValidationError):
        EnrichmentSettings(**{name: 0})
