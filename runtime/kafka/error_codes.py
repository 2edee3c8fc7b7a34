"""Pure: every error code of the Kafka protocol, with its fault.

A client must not guess at a code that it does not know: `fault_of` returns `CodeFault.UNKNOWN` for
it, and then the result of the request is unknown.

Source: Kafka protocol guide, error codes, as of Kafka 4.4.0.
"""

from enum import Enum, auto
from typing import Final, NamedTuple


class CodeFault(Enum):
    """Who has to act."""

    BROKER = auto()
    """No fault: the cluster cannot at the moment, or another broker is responsible."""
    RECORD = auto()
    """The sender of a record: the topic never accepts it, and nothing was stored."""
    OPERATOR = auto()
    """The operator of brokers, users and settings; nothing was done."""
    PRODUCER = auto()
    """The producer has to start again: the broker rejects its identity or its sequence."""
    MEMBER = auto()
    """The member of a group has to join again, or the group is in another state."""
    REQUEST = auto()
    """The client: its request is invalid."""
    UNKNOWN = auto()
    """The result is unknown. Brokers report it for errors that they did not expect."""


class ErrorCode(NamedTuple):
    """One line of the table. ``is_retriable`` is as in Apache Kafka's own clients."""

    code: int
    name: str
    fault: CodeFault
    is_retriable: bool


_passing: Final = True
_lasting: Final = False

error_codes: Final = (
    ErrorCode(-1, "UNKNOWN_SERVER_ERROR", CodeFault.UNKNOWN, _lasting),
    ErrorCode(1, "OFFSET_OUT_OF_RANGE", CodeFault.REQUEST, _lasting),
    ErrorCode(2, "CORRUPT_MESSAGE", CodeFault.UNKNOWN, _passing),
    ErrorCode(3, "UNKNOWN_TOPIC_OR_PARTITION", CodeFault.BROKER, _passing),
    ErrorCode(4, "INVALID_FETCH_SIZE", CodeFault.REQUEST, _lasting),
    ErrorCode(5, "LEADER_NOT_AVAILABLE", CodeFault.BROKER, _passing),
    ErrorCode(6, "NOT_LEADER_OR_FOLLOWER", CodeFault.BROKER, _passing),
    ErrorCode(7, "REQUEST_TIMED_OUT", CodeFault.BROKER, _passing),
    ErrorCode(8, "BROKER_NOT_AVAILABLE", CodeFault.BROKER, _lasting),
    ErrorCode(9, "REPLICA_NOT_AVAILABLE", CodeFault.BROKER, _passing),
    ErrorCode(10, "MESSAGE_TOO_LARGE", CodeFault.RECORD, _lasting),
    ErrorCode(11, "STALE_CONTROLLER_EPOCH", CodeFault.BROKER, _lasting),
    ErrorCode(12, "OFFSET_METADATA_TOO_LARGE", CodeFault.OPERATOR, _lasting),
    ErrorCode(13, "NETWORK_EXCEPTION", CodeFault.BROKER, _passing),
    ErrorCode(14, "COORDINATOR_LOAD_IN_PROGRESS", CodeFault.BROKER, _passing),
    ErrorCode(15, "COORDINATOR_NOT_AVAILABLE", CodeFault.BROKER, _passing),
    ErrorCode(16, "NOT_COORDINATOR", CodeFault.BROKER, _passing),
    ErrorCode(17, "INVALID_TOPIC_EXCEPTION", CodeFault.OPERATOR, _lasting),
    ErrorCode(18, "RECORD_LIST_TOO_LARGE", CodeFault.RECORD, _lasting),
    ErrorCode(19, "NOT_ENOUGH_REPLICAS", CodeFault.BROKER, _passing),
    ErrorCode(20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", CodeFault.BROKER, _passing),
    ErrorCode(21, "INVALID_REQUIRED_ACKS", CodeFault.REQUEST, _lasting),
    ErrorCode(22, "ILLEGAL_GENERATION", CodeFault.MEMBER, _lasting),
    ErrorCode(23, "INCONSISTENT_GROUP_PROTOCOL", CodeFault.OPERATOR, _lasting),
    ErrorCode(24, "INVALID_GROUP_ID", CodeFault.OPERATOR, _lasting),
    ErrorCode(25, "UNKNOWN_MEMBER_ID", CodeFault.MEMBER, _lasting),
    ErrorCode(26, "INVALID_SESSION_TIMEOUT", CodeFault.OPERATOR, _lasting),
    ErrorCode(27, "REBALANCE_IN_PROGRESS", CodeFault.MEMBER, _lasting),
    ErrorCode(28, "INVALID_COMMIT_OFFSET_SIZE", CodeFault.REQUEST, _lasting),
    ErrorCode(29, "TOPIC_AUTHORIZATION_FAILED", CodeFault.OPERATOR, _lasting),
    ErrorCode(30, "GROUP_AUTHORIZATION_FAILED", CodeFault.OPERATOR, _lasting),
    ErrorCode(31, "CLUSTER_AUTHORIZATION_FAILED", CodeFault.OPERATOR, _lasting),
    ErrorCode(32, "INVALID_TIMESTAMP", CodeFault.RECORD, _lasting),
    ErrorCode(33, "UNSUPPORTED_SASL_MECHANISM", CodeFault.OPERATOR, _lasting),
    ErrorCode(34, "ILLEGAL_SASL_STATE", CodeFault.OPERATOR, _lasting),
    ErrorCode(35, "UNSUPPORTED_VERSION", CodeFault.OPERATOR, _lasting),
    ErrorCode(36, "TOPIC_ALREADY_EXISTS", CodeFault.OPERATOR, _lasting),
    ErrorCode(37, "INVALID_PARTITIONS", CodeFault.OPERATOR, _lasting),
    ErrorCode(38, "INVALID_REPLICATION_FACTOR", CodeFault.OPERATOR, _lasting),
    ErrorCode(39, "INVALID_REPLICA_ASSIGNMENT", CodeFault.OPERATOR, _lasting),
    ErrorCode(40, "INVALID_CONFIG", CodeFault.OPERATOR, _lasting),
    ErrorCode(41, "NOT_CONTROLLER", CodeFault.BROKER, _passing),
    ErrorCode(42, "INVALID_REQUEST", CodeFault.REQUEST, _lasting),
    ErrorCode(43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", CodeFault.OPERATOR, _lasting),
    ErrorCode(44, "POLICY_VIOLATION", CodeFault.OPERATOR, _lasting),
    ErrorCode(45, "OUT_OF_ORDER_SEQUENCE_NUMBER", CodeFault.PRODUCER, _lasting),
    ErrorCode(46, "DUPLICATE_SEQUENCE_NUMBER", CodeFault.PRODUCER, _lasting),
    ErrorCode(47, "INVALID_PRODUCER_EPOCH", CodeFault.PRODUCER, _lasting),
    ErrorCode(48, "INVALID_TXN_STATE", CodeFault.PRODUCER, _lasting),
    ErrorCode(49, "INVALID_PRODUCER_ID_MAPPING", CodeFault.PRODUCER, _lasting),
    ErrorCode(50, "INVALID_TRANSACTION_TIMEOUT", CodeFault.PRODUCER, _lasting),
    ErrorCode(51, "CONCURRENT_TRANSACTIONS", CodeFault.BROKER, _passing),
    ErrorCode(52, "TRANSACTION_COORDINATOR_FENCED", CodeFault.BROKER, _lasting),
    ErrorCode(53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", CodeFault.PRODUCER, _lasting),
    ErrorCode(54, "SECURITY_DISABLED", CodeFault.OPERATOR, _lasting),
    ErrorCode(55, "OPERATION_NOT_ATTEMPTED", CodeFault.REQUEST, _lasting),
    ErrorCode(56, "KAFKA_STORAGE_ERROR", CodeFault.BROKER, _passing),
    ErrorCode(57, "LOG_DIR_NOT_FOUND", CodeFault.OPERATOR, _lasting),
    ErrorCode(58, "SASL_AUTHENTICATION_FAILED", CodeFault.OPERATOR, _lasting),
    ErrorCode(59, "UNKNOWN_PRODUCER_ID", CodeFault.PRODUCER, _lasting),
    ErrorCode(60, "REASSIGNMENT_IN_PROGRESS", CodeFault.REQUEST, _lasting),
    ErrorCode(61, "DELEGATION_TOKEN_AUTH_DISABLED", CodeFault.OPERATOR, _lasting),
    ErrorCode(62, "DELEGATION_TOKEN_NOT_FOUND", CodeFault.OPERATOR, _lasting),
    ErrorCode(63, "DELEGATION_TOKEN_OWNER_MISMATCH", CodeFault.OPERATOR, _lasting),
    ErrorCode(64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", CodeFault.OPERATOR, _lasting),
    ErrorCode(65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", CodeFault.OPERATOR, _lasting),
    ErrorCode(66, "DELEGATION_TOKEN_EXPIRED", CodeFault.OPERATOR, _lasting),
    ErrorCode(67, "INVALID_PRINCIPAL_TYPE", CodeFault.OPERATOR, _lasting),
    ErrorCode(68, "NON_EMPTY_GROUP", CodeFault.MEMBER, _lasting),
    ErrorCode(69, "GROUP_ID_NOT_FOUND", CodeFault.MEMBER, _lasting),
    ErrorCode(70, "FETCH_SESSION_ID_NOT_FOUND", CodeFault.BROKER, _passing),
    ErrorCode(71, "INVALID_FETCH_SESSION_EPOCH", CodeFault.BROKER, _passing),
    ErrorCode(72, "LISTENER_NOT_FOUND", CodeFault.BROKER, _passing),
    ErrorCode(73, "TOPIC_DELETION_DISABLED", CodeFault.OPERATOR, _lasting),
    ErrorCode(74, "FENCED_LEADER_EPOCH", CodeFault.BROKER, _passing),
    ErrorCode(75, "UNKNOWN_LEADER_EPOCH", CodeFault.BROKER, _passing),
    ErrorCode(76, "UNSUPPORTED_COMPRESSION_TYPE", CodeFault.OPERATOR, _lasting),
    ErrorCode(77, "STALE_BROKER_EPOCH", CodeFault.BROKER, _lasting),
    ErrorCode(78, "OFFSET_NOT_AVAILABLE", CodeFault.BROKER, _passing),
    ErrorCode(79, "MEMBER_ID_REQUIRED", CodeFault.MEMBER, _lasting),
    ErrorCode(80, "PREFERRED_LEADER_NOT_AVAILABLE", CodeFault.BROKER, _passing),
    ErrorCode(81, "GROUP_MAX_SIZE_REACHED", CodeFault.OPERATOR, _lasting),
    ErrorCode(82, "FENCED_INSTANCE_ID", CodeFault.MEMBER, _lasting),
    ErrorCode(83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", CodeFault.BROKER, _passing),
    ErrorCode(84, "ELECTION_NOT_NEEDED", CodeFault.BROKER, _passing),
    ErrorCode(85, "NO_REASSIGNMENT_IN_PROGRESS", CodeFault.MEMBER, _lasting),
    ErrorCode(86, "GROUP_SUBSCRIBED_TO_TOPIC", CodeFault.MEMBER, _lasting),
    ErrorCode(87, "INVALID_RECORD", CodeFault.RECORD, _lasting),
    ErrorCode(88, "UNSTABLE_OFFSET_COMMIT", CodeFault.BROKER, _passing),
    ErrorCode(89, "THROTTLING_QUOTA_EXCEEDED", CodeFault.BROKER, _passing),
    ErrorCode(90, "PRODUCER_FENCED", CodeFault.PRODUCER, _lasting),
    ErrorCode(91, "RESOURCE_NOT_FOUND", CodeFault.REQUEST, _lasting),
    ErrorCode(92, "DUPLICATE_RESOURCE", CodeFault.REQUEST, _lasting),
    ErrorCode(93, "UNACCEPTABLE_CREDENTIAL", CodeFault.OPERATOR, _lasting),
    ErrorCode(94, "INCONSISTENT_VOTER_SET", CodeFault.BROKER, _lasting),
    ErrorCode(95, "INVALID_UPDATE_VERSION", CodeFault.REQUEST, _lasting),
    ErrorCode(96, "FEATURE_UPDATE_FAILED", CodeFault.REQUEST, _lasting),
    ErrorCode(97, "PRINCIPAL_DESERIALIZATION_FAILURE", CodeFault.OPERATOR, _lasting),
    ErrorCode(98, "SNAPSHOT_NOT_FOUND", CodeFault.REQUEST, _lasting),
    ErrorCode(99, "POSITION_OUT_OF_RANGE", CodeFault.REQUEST, _lasting),
    ErrorCode(100, "UNKNOWN_TOPIC_ID", CodeFault.BROKER, _passing),
    ErrorCode(101, "DUPLICATE_BROKER_REGISTRATION", CodeFault.BROKER, _lasting),
    ErrorCode(102, "BROKER_ID_NOT_REGISTERED", CodeFault.BROKER, _lasting),
    ErrorCode(103, "INCONSISTENT_TOPIC_ID", CodeFault.BROKER, _passing),
    ErrorCode(104, "INCONSISTENT_CLUSTER_ID", CodeFault.OPERATOR, _lasting),
    ErrorCode(105, "TRANSACTIONAL_ID_NOT_FOUND", CodeFault.PRODUCER, _lasting),
    ErrorCode(106, "FETCH_SESSION_TOPIC_ID_ERROR", CodeFault.BROKER, _passing),
    ErrorCode(107, "INELIGIBLE_REPLICA", CodeFault.BROKER, _lasting),
    ErrorCode(108, "NEW_LEADER_ELECTED", CodeFault.BROKER, _lasting),
    ErrorCode(109, "OFFSET_MOVED_TO_TIERED_STORAGE", CodeFault.REQUEST, _lasting),
    ErrorCode(110, "FENCED_MEMBER_EPOCH", CodeFault.MEMBER, _lasting),
    ErrorCode(111, "UNRELEASED_INSTANCE_ID", CodeFault.MEMBER, _lasting),
    ErrorCode(112, "UNSUPPORTED_ASSIGNOR", CodeFault.OPERATOR, _lasting),
    ErrorCode(113, "STALE_MEMBER_EPOCH", CodeFault.MEMBER, _lasting),
    ErrorCode(114, "MISMATCHED_ENDPOINT_TYPE", CodeFault.REQUEST, _lasting),
    ErrorCode(115, "UNSUPPORTED_ENDPOINT_TYPE", CodeFault.REQUEST, _lasting),
    ErrorCode(116, "UNKNOWN_CONTROLLER_ID", CodeFault.REQUEST, _lasting),
    ErrorCode(117, "UNKNOWN_SUBSCRIPTION_ID", CodeFault.REQUEST, _lasting),
    ErrorCode(118, "TELEMETRY_TOO_LARGE", CodeFault.REQUEST, _lasting),
    ErrorCode(119, "INVALID_REGISTRATION", CodeFault.REQUEST, _lasting),
    ErrorCode(120, "TRANSACTION_ABORTABLE", CodeFault.PRODUCER, _lasting),
    ErrorCode(121, "INVALID_RECORD_STATE", CodeFault.REQUEST, _lasting),
    ErrorCode(122, "SHARE_SESSION_NOT_FOUND", CodeFault.BROKER, _passing),
    ErrorCode(123, "INVALID_SHARE_SESSION_EPOCH", CodeFault.BROKER, _passing),
    ErrorCode(124, "FENCED_STATE_EPOCH", CodeFault.MEMBER, _lasting),
    ErrorCode(125, "INVALID_VOTER_KEY", CodeFault.REQUEST, _lasting),
    ErrorCode(126, "DUPLICATE_VOTER", CodeFault.REQUEST, _lasting),
    ErrorCode(127, "VOTER_NOT_FOUND", CodeFault.REQUEST, _lasting),
    ErrorCode(128, "INVALID_REGULAR_EXPRESSION", CodeFault.OPERATOR, _lasting),
    ErrorCode(129, "REBOOTSTRAP_REQUIRED", CodeFault.REQUEST, _lasting),
    ErrorCode(130, "STREAMS_INVALID_TOPOLOGY", CodeFault.REQUEST, _lasting),
    ErrorCode(131, "STREAMS_INVALID_TOPOLOGY_EPOCH", CodeFault.REQUEST, _lasting),
    ErrorCode(132, "STREAMS_TOPOLOGY_FENCED", CodeFault.REQUEST, _lasting),
    ErrorCode(133, "SHARE_SESSION_LIMIT_REACHED", CodeFault.BROKER, _passing),
    ErrorCode(134, "GROUP_DELETION_FAILED", CodeFault.REQUEST, _lasting),
    ErrorCode(135, "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED", CodeFault.REQUEST, _lasting),
    ErrorCode(136, "CONTROLLER_ID_NOT_REGISTERED", CodeFault.REQUEST, _lasting),
)

_by_code: Final = {each.code: each for each in error_codes}


def fault_of(code: int) -> CodeFault:
    """Return the fault of an error code; `CodeFault.UNKNOWN` for a code that the table lacks."""
    error = _by_code.get(code)
    return CodeFault.UNKNOWN if error is None else error.fault
