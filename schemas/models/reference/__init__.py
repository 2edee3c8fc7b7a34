"""Records of the reference topic: the present states of entities; rows of logs; counts.

The key is ``account_id:entity:id``. A record without a value says that the entity is gone. A row of
a log has the id of its engagement; where several rows of a log have the same one, ``/`` and the
row's start follow it.
"""

from .library import (
    AddressBookContactReference,
    AddressBookReference,
    AssetCategoryReference,
    AssetReference,
    StorageLocationReference,
)
from .logs import ApiBudgetReference, SmsLogReference, VoiceCallLogReference
from .operating_hours import BusinessHourReference, ClosureSetReference
from .outcomes import DispositionReference, DispositionSetReference
from .people import (
    RegionReference,
    RoleReference,
    SkillCategoryReference,
    SkillReference,
    SystemStatusReference,
    TeamReference,
    UserReference,
)
from .record import Reference
from .routing import (
    AgentRoutingProfileReference,
    ConsumerRoutingProfileReference,
    FlowEntryPointReference,
    FlowReference,
    InboxReference,
    OutboundCampaignReference,
    QueueReference,
    QueueTemplateReference,
    VariableGroupReference,
)

__all__ = [
    "AddressBookContactReference",
    "AddressBookReference",
    "AgentRoutingProfileReference",
    "ApiBudgetReference",
    "AssetCategoryReference",
    "AssetReference",
    "BusinessHourReference",
    "ClosureSetReference",
    "ConsumerRoutingProfileReference",
    "DispositionReference",
    "DispositionSetReference",
    "FlowEntryPointReference",
    "FlowReference",
    "InboxReference",
    "OutboundCampaignReference",
    "QueueReference",
    "QueueTemplateReference",
    "Reference",
    "RegionReference",
    "RoleReference",
    "SkillCategoryReference",
    "SkillReference",
    "SmsLogReference",
    "StorageLocationReference",
    "SystemStatusReference",
    "TeamReference",
    "UserReference",
    "VariableGroupReference",
    "VoiceCallLogReference",
]
