"""Every error of the protocol has a line, and the library distinguishes all of them."""

from aiokafka import errors

from runtime.kafka.connection import connection_options
from runtime.kafka.error_codes import CodeFault, error_codes, fault_of
from runtime.settings import KafkaSettings

newest = 136
"""Of Kafka 4.4.0."""

known_to_the_library = {**errors.kafka_errors}


def test_the_table_has_each_code_once() -> None:
    assert [each.code for each in error_codes] == [-1, *range(1, newest + 1)]
    assert len({each.name for each in error_codes}) == len(error_codes)


def test_what_passes_is_nobodys_fault() -> None:
    passing = {each.fault for each in error_codes if each.is_retriable}
    assert passing <= {CodeFault.BROKER, CodeFault.PRODUCER, CodeFault.UNKNOWN}


def test_a_record_is_at_fault_where_the_broker_says_that_it_stored_nothing_of_it() -> None:
    refusals = {each.name for each in error_codes if each.fault is CodeFault.RECORD}
    assert refusals == {
        *("MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_TIMESTAMP", "INVALID_RECORD"),
    }


def test_a_code_of_a_later_version_is_unknown() -> None:
    assert fault_of(newest + 1) is CodeFault.UNKNOWN
    assert fault_of(-1) is CodeFault.UNKNOWN


def test_the_library_tells_all_codes_apart_and_keeps_its_own_classes() -> None:
    connection_options(KafkaSettings())
    for each in error_codes:
        assert errors.for_code(each.code).errno == each.code
    for code, kind in known_to_the_library.items():
        assert errors.for_code(code) is kind
    assert errors.for_code(newest + 1) is errors.UnknownError
    assert str(errors.for_code(87)("why")) == "[Error 87] INVALID_RECORD: why"
