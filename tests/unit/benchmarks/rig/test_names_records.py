"""What the run of names concludes from the records that it reads back."""

from benchmarks.rig.names_records import Figures, Seen, Span, figures

a, b = ("task.v1", b"a"), ("task.v1", b"b")


def raw(*ids: str) -> list[Seen]:
    """Events of one key, a second apart."""
    return [Seen(each, a, number * 1000) for number, each in enumerate(ids)]


def first(event_id: str, at_ms: int, status: str = "complete") -> Seen:
    return Seen(event_id, a, at_ms, 1, status)


def shown(events: list[Seen], enriched: list[Seen], kills: list[Span] | None = None) -> Figures:
    return figures(events, enriched, within_s=90.0, late_ms=800.0, kills=kills or [])


def test_all_complete_at_first() -> None:
    result = shown(raw("1", "2"), [first("1", 10), first("2", 1030)])
    assert (result.complete_at_first, result.complete_in_time) == (1.0, 1.0)
    assert (result.lost, result.partial, result.uncorrected, result.repeats) == (0, 0, 0, 0)
    assert (result.p50_ms, result.most_ms, result.late) == (30, 30, {})


def test_an_event_without_a_record_is_lost() -> None:
    assert shown(raw("1", "2"), [first("1", 10)]).lost == 1


def test_a_revision_counts_when_it_comes_in_time() -> None:
    events, partial = raw("1"), first("1", 300, "partial")
    for at_ms, in_time in ((90_000, 1.0), (90_001, 0.0)):
        result = shown(events, [partial, Seen("1", a, at_ms, 2, "complete")])
        assert (result.complete_at_first, result.complete_in_time) == (0.0, in_time)
        assert (result.partial, result.uncorrected) == (1, 0)
    assert shown(events, [partial]).uncorrected == 1


def test_repeats_keep_the_order_and_an_event_behind_a_later_one_does_not() -> None:
    events = raw("1", "2", "3")
    repeated = [first(each, 5000) for each in ("1", "2", "1", "2", "3")]
    assert (shown(events, repeated).disordered, shown(events, repeated).repeats) == (0, 2)
    swapped = [first(each, 5000) for each in ("2", "1", "3")]
    assert shown(events, swapped).disordered == 1


def test_keys_have_orders_of_their_own() -> None:
    events = [Seen("1", a, 0), Seen("2", b, 0)]
    swapped = [Seen("2", b, 9, 1, "complete"), Seen("1", a, 9, 1, "complete")]
    assert shown(events, swapped).disordered == 0


def test_events_in_flight_while_a_replica_is_missing_are_left_out_of_one_figure() -> None:
    enriched = [first("1", 50), first("2", 4000), first("3", 2100)]
    result = shown(raw("1", "2", "3"), enriched, [(1500, 1900)])
    assert (result.most_ms, result.most_ms_but_kills) == (3000, 100)
    assert result.late == {1: 3000}
