"""Whatever the body, enriching it changes no byte of it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from processors.enrichment.document import with_member_appended

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
member = b'{"revision":1}'


@given(
    document=st.dictionaries(st.text(), values, min_size=1, max_size=5),
    indent=st.sampled_from([None, 0, 3]),
    space=st.sampled_from(["", "\n", " \t\r\n"]),
    escape=st.booleans(),
)
def test_a_body_is_kept_byte_for_byte(
    document: dict[str, object], indent: int | None, space: str, *, escape: bool
) -> None:
    body = (space + json.dumps(document, indent=indent, ensure_ascii=escape) + space).encode(
        "utf-8", "surrogatepass"
    )
    value = with_member_appended(body, member)
    added = b',"enrichment":' + member
    place = len(value) - len(added) - (len(body) - body.rindex(b"}"))
    assert value[place : place + len(added)] == added
    assert value[:place] + value[place + len(added) :] == body
    assert json.loads(value.decode("utf-8", "surrogatepass"))["enrichment"] == {"revision": 1}
