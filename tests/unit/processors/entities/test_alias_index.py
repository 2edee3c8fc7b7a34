"""Other ids of entities."""

from processors.entities.alias_index import AliasIndex


def test_an_alias_leads_to_its_ids_until_it_is_removed() -> None:
    index = AliasIndex()
    assert index.ids("x") == ()
    index.add("x", "1")
    index.add("x", "2")
    index.add("x", "3")
    assert sorted(index.ids("x")) == ["1", "2", "3"]
    index.remove("x", "2")
    index.remove("x", "1")
    assert list(index.ids("x")) == ["3"]
    index.remove("x", "3")
    assert index.ids("x") == ()


def test_adding_twice_and_removing_what_is_not_there_changes_nothing() -> None:
    index = AliasIndex()
    index.add("x", "1")
    index.add("x", "1")
    index.remove("x", "2")
    index.remove("y", "1")
    assert index.ids("x") == ("1",)
