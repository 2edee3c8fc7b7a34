"""Signatures that were answered 204 are remembered for their time, and never more than so many."""

from ingest.webhook.replays import AcknowledgedSignatures


def test_a_signature_is_known_for_its_app_alone() -> None:
    answered = AcknowledgedSignatures(4, lifetime_s=600)
    answered.add("sales", b"v0=1")
    assert ("sales", b"v0=1") in answered
    assert ("default", b"v0=1") not in answered


def test_the_later_half_of_what_fits_is_always_known_and_never_more_than_fits() -> None:
    answered = AcknowledgedSignatures(10, lifetime_s=600)
    for number in range(1000):
        answered.add("a", b"%d" % number)
        assert len(answered) <= 10
        assert all(("a", b"%d" % past) in answered for past in range(max(0, number - 4), number))


def test_a_signature_is_known_for_its_time_and_forgotten_within_twice_that() -> None:
    answered = AcknowledgedSignatures(10, lifetime_s=600)
    answered.tick(1000.0)
    answered.add("a", b"1")
    answered.tick(1599.9)
    answered.tick(1600.0)
    assert ("a", b"1") in answered
    answered.tick(2200.0)
    assert (len(answered), ("a", b"1") in answered) == (0, False)


def test_with_room_for_none_none_is_remembered() -> None:
    for most in (0, 1):
        answered = AcknowledgedSignatures(most, lifetime_s=600)
        answered.add("a", b"1")
        assert len(answered) == 0
