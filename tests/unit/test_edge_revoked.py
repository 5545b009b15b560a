"""Revocations: a document that says the same in every edge, and cannot grow without bound."""

import pytest

from edge.guard.passes import MAX_NUMBER
from edge.guard.revoked import MAX_REVOKED, RevocationsError, Revoked, revoked

ONE, TWO = "K7Q2M9XD", "M3WZ80RT"


def test_single_numbers_and_whole_batches_are_revoked() -> None:
    found = Revoked().with_(ONE, [17, 4]).with_(TWO, None)
    assert [n for n in range(1, 20) if found.has(ONE, n)] == [4, 17]
    assert found.has(TWO, 1)
    assert found.has(TWO, MAX_NUMBER)
    assert not Revoked().has(ONE, 17)
    assert not found.has("AAAAAAAA", 4)


def test_what_is_written_is_read_back_and_spelled_in_one_way() -> None:
    found = Revoked().with_(TWO, None).with_(ONE, [17, 4]).with_(ONE, [9])
    assert found.encode() == '{"K7Q2M9XD":[4,9,17],"M3WZ80RT":null}'
    assert Revoked.parse(found.encode()).encode() == found.encode()
    assert Revoked().with_(ONE, [9, 4, 17]).with_(TWO, None).encode() == found.encode()
    assert Revoked.parse("").encode() == Revoked().encode() == ""


def test_revoking_more_never_makes_a_pass_good_again() -> None:
    whole = Revoked().with_(ONE, None)
    assert whole.with_(ONE, [3]).has(ONE, 4)
    assert Revoked().with_(ONE, [3]).with_(ONE, None).has(ONE, 4)


def test_a_batch_that_was_revoked_by_mistake_is_good_again() -> None:
    found = Revoked().with_(ONE, None).with_(TWO, [5]).without(ONE)
    assert (found.has(ONE, 1), found.has(TWO, 5)) == (False, True)
    assert found.without("AAAAAAAA").encode() == found.encode()


def test_one_more_than_the_bound_is_refused_with_what_to_do() -> None:
    full = Revoked().with_(ONE, range(1, MAX_REVOKED)).with_(TWO, None)
    assert len(full) == MAX_REVOKED
    assert len(full.with_(ONE, [5])) == MAX_REVOKED, "known already"
    with pytest.raises(RevocationsError, match=r"4001 batches and single passes.*at most 4000.*whole batches"):
        full.with_(ONE, [MAX_REVOKED])
    assert len(full.with_(ONE, None)) == 2, "a whole batch costs one"
    assert len(full.encode()) < 25_000


@pytest.mark.parametrize(
    "text",
    ["x", "[]", "1", '{"K7Q2M9XD": 1}', '{"K7Q2M9XD": [0]}', '{"K7Q2M9XD": []}', '{"K7Q2": null}', '{"\\ud800": 1}'],
)
def test_a_document_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(RevocationsError, match="cannot be read"):
        Revoked.parse(text)


@pytest.mark.parametrize(
    ("batch", "numbers"), [(ONE, [0]), (ONE, [MAX_NUMBER + 1]), (ONE, []), ("K7Q2-M9XD", None), ("k7q2m9xd", [1])]
)
def test_nothing_can_be_revoked_that_could_not_be_read_again(batch: str, numbers: list[int] | None) -> None:
    with pytest.raises(RevocationsError, match="no such pass"):
        Revoked().with_(batch, numbers)


def test_an_unchanged_setting_is_parsed_once() -> None:
    text = Revoked().with_(ONE, [1]).encode()
    assert revoked(text) is revoked(text)
    assert revoked(text).has(ONE, 1)
