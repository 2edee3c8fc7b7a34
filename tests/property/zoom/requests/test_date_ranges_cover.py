"""Windows cover a span without a gap, and none is longer than the operation takes."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom.catalogue import Operation, TimeForm, Window, operations
from zoom.requests.date_ranges import divided

kinds = {
    (form, window.longest_days, window.lookback_days): (operation, window)
    for operation in operations().values()
    for window in operation.windows
    for form in window.forms
    if not (form == "z" and window.z_is_literal)
}
now = datetime(2026, 1, 1, tzinfo=UTC)
starts = st.integers(0, 2000)
lengths = st.one_of(
    st.integers(0, 400 * 86_400),
    st.sampled_from([days * 86_400 + more for days in (28, 45, 56, 180) for more in (-1, 0, 1)]),
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def written(moment: datetime, form: TimeForm) -> str:
    if form == "date":
        return moment.date().isoformat()
    text = moment.isoformat(timespec="seconds")
    return text if form == "offset" else text.replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("operation", "window", "form"),
    [(operation, window, form) for (form, _, _), (operation, window) in kinds.items()],
    ids=lambda each: getattr(each, "name", getattr(each, "start", each)),
)
@given(start_h=starts, length_s=lengths, zone=offsets)
def test_windows_cover_the_span_and_none_is_too_long(
    operation: Operation,
    window: Window,
    form: TimeForm,
    start_h: int,
    length_s: int,
    zone: timezone,
) -> None:
    first = now + timedelta(hours=start_h)
    start = first.astimezone(zone if form == "offset" else UTC)
    end = start + timedelta(seconds=length_s)
    names = {each.name: each.argument for each in operation.parameters}
    start_name, end_name = names[window.start], names[window.end]
    given_ = {start_name: written(start, form), end_name: written(end, form), "sort_order": "asc"}

    ranges = list(divided(operation, given_, now=now))

    assert ranges == list(divided(operation, given_, now=now))
    spans = [
        (datetime.fromisoformat(str(each[start_name])), datetime.fromisoformat(str(each[end_name])))
        for each in ranges
    ]
    whole = datetime.fromisoformat(given_[start_name]), datetime.fromisoformat(given_[end_name])
    assert (spans[0][0], spans[-1][1]) == whole
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    if window.longest_days is not None:
        longest = timedelta(days=window.longest_days - (form == "date"))
        assert all(timedelta(0) <= end - start <= longest for start, end in spans)
        assert len(spans) == max(1, -(-(whole[1] - whole[0]) // longest))
    else:
        assert len(spans) == 1
