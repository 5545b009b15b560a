"""How long a turn lasts: extensions in number and in time."""

from origin.turn import AdmissionSession, Terms

NOW = 1_800_000_000.7
TERMS = Terms(session_s=1800, extensions=10, longest_s=21_600)


def _extended(terms: Terms) -> list[AdmissionSession]:
    """Extend until there is no more."""
    sessions = [terms.begin("k1", "demo", "a", NOW)]
    while (longer := terms.extend("k2", sessions[-1])) is not None:
        sessions.append(longer)
    return sessions


def test_a_session_can_be_extended_ten_times_each_time_by_its_full_length() -> None:
    sessions = _extended(TERMS)
    assert [session.exp - int(NOW) for session in sessions] == [1800 * count for count in range(1, 12)]
    assert [TERMS.left(session) for session in sessions] == list(range(10, -1, -1))
    assert {session.since for session in sessions} == {int(NOW)}
    assert sessions[-1].kid == "k2"


def test_no_session_goes_beyond_the_longest_time() -> None:
    terms = Terms(session_s=1800, extensions=10, longest_s=4500)
    sessions = _extended(terms)
    assert [session.exp - int(NOW) for session in sessions] == [1800, 3600, 4500]
    assert [terms.left(session) for session in sessions] == [2, 1, 0]


def test_the_same_session_extended_twice_ends_at_the_same_time() -> None:
    first = TERMS.begin("k1", "demo", "a", NOW)
    assert TERMS.extend("k1", first) == TERMS.extend("k1", first)


def test_where_there_are_no_extensions_none_is_given() -> None:
    for terms in (Terms(1800, 0, 21_600), Terms(1800, 10, 600)):
        session = terms.begin("k1", "demo", "a", NOW)
        assert session.exp == int(NOW) + 1800
        assert terms.extend("k1", session) is None
        assert terms.left(session) == 0
