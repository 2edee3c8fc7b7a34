"""Which records follow another to the dead letters."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from runtime.retries.blocked_keys import BlockedKeys
from runtime.values import Delivery

max_keys = 3
keys = st.none() | st.sampled_from([b"a", b"b", b"c", b"d", b"e"])


class ParkingMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.parking = BlockedKeys(max_keys)
        self.firsts: dict[bytes, str] = {}
        self.offset = 0

    def delivery(self, key: bytes | None) -> Delivery:
        self.offset += 1
        return Delivery("t", 0, self.offset, key, b"v", (), 0)

    @rule(key=keys)
    def block(self, key: bytes | None) -> None:
        delivery = self.delivery(key)
        room = key is None or key in self.firsts or len(self.firsts) < max_keys
        assert self.parking.block(delivery) == room
        if room and key is not None:
            self.firsts.setdefault(key, delivery.origin)

    @rule(key=keys)
    def a_later_record_follows_the_first(self, key: bytes | None) -> None:
        expected = None if key is None else self.firsts.get(key)
        assert self.parking.blocking_record(self.delivery(key)) == expected

    @rule(key=keys)
    def a_record_that_was_sent_again_may_go_on(self, key: bytes | None) -> None:
        again = replace(self.delivery(key), headers=(("zcc-replays", b"1"),))
        assert self.parking.blocking_record(again) is None

    @rule(key=keys)
    def a_success_frees_its_key(self, key: bytes | None) -> None:
        self.parking.succeeded(self.delivery(key))
        if key is not None:
            self.firsts.pop(key, None)


TestParking = ParkingMachine.TestCase
