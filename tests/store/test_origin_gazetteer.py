"""The gazetteer: places as people type them, out of the database alone."""

from collections.abc import AsyncIterator

import pytest

from origin.db.sql import Connection
from origin.inventory import gazetteer
from origin.inventory.gazetteer import PlaceNotClear, PlaceNotFound
from origin.inventory.supply import RegionRow, SiteRow, import_supply
from tests.origin_world import MADRID, world

_TOWNS = (
    ("ES-MD", "L'Hospitalet de Llobregat", 41.36, 2.1, 250_000),
    ("ES-MD", "San Sebastián de los Reyes", 40.55, -3.63, 90_000),
    ("ES-MD", "Alcalá de Henares", 40.48, -3.36, 190_000),
    ("ES-CM", "Alcalá del Júcar", 39.19, -1.43, 1_200),
    ("ES-CM", "Madrid", 39.0, -3.0, 300),
    ("ES-MD", "Madrid", 40.5, -3.8, 3_000_000),
    ("ES-CN", "الدار البيضاء", 33.6, -7.6, 3_000_000),
    ("ES-CN", "Łódź", 51.8, 19.5, 600_000),
    ("ES-CN", "Weißenfels", 51.2, 12.0, 40_000),
)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with world(database_url) as made:
        await made.connection.executemany(
            "INSERT INTO gazetteer (region, name, lat, lng, population, time_zone) VALUES ($1, $2, $3, $4, $5, 'UTC')",
            _TOWNS,
        )
        yield made.connection


async def names(connection: Connection, typed: str) -> list[str]:
    return [place.place for place in await gazetteer.beginning(connection, typed, at_most=10)]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("hospitalet", ["L'Hospitalet de Llobregat, ES-MD"]),
        ("l’hosp", ["L'Hospitalet de Llobregat, ES-MD"]),
        ("SAN SEBASTIAN", ["San Sebastián de los Reyes, ES-MD"]),
        ("reyes san", ["San Sebastián de los Reyes, ES-MD"]),
        ("alcala", ["Alcalá de Henares, ES-MD", "Alcalá del Júcar, ES-CM"]),
        ("alcalá j", ["Alcalá del Júcar, ES-CM"]),
        ("الدار", ["الدار البيضاء, ES-CN"]),
        ("lodz", ["Łódź, ES-CN"]),
        ("weissen", ["Weißenfels, ES-CN"]),
        ("drid", []),
        ("' & | ! :* \\ (", []),
        ("%", []),
    ],
)
async def test_names_are_found_by_the_beginnings_of_their_words_without_accents(
    connection: Connection, typed: str, found: list[str]
) -> None:
    assert await names(connection, typed) == found


async def test_a_town_counts_once_in_its_region_and_lies_where_the_gazetteer_says(connection: Connection) -> None:
    found = await gazetteer.beginning(connection, "madrid", at_most=10)
    assert [(place.region, place.sites, place.lat) for place in found] == [("ES-MD", 1, 40.5), ("ES-CM", 0, 39.0)]
    toledo = await gazetteer.find(connection, "toledo")  # which only a site has
    assert (toledo.lat, toledo.lng, toledo.time_zone, toledo.sites) == (39.8581, -4.0226, "Europe/Madrid", 1)
    assert {place.name for place in await gazetteer.with_sites(connection)} == {"Madrid", "Toledo", "Las Palmas"}


async def test_postal_codes_are_found_by_how_they_begin_whatever_their_spaces(connection: Connection) -> None:
    rows = [
        SiteRow(20 + n, "ES-MD", "S", "-", "Getafe", MADRID[0], MADRID[1] + n / 10, "Europe/Madrid") for n in range(3)
    ]
    await import_supply(connection, [RegionRow("X", "X")], rows, [])
    await connection.execute("UPDATE site SET postcode = 'SW1A ' || (id % 2)::text || 'AA' WHERE id >= 20")
    assert sorted(await names(connection, "sw1a")) == ["SW1A 0AA, ES-MD", "SW1A 1AA, ES-MD"]
    place = await gazetteer.find(connection, "sw1a-0aa")
    assert (place.kind, place.sites, round(place.lng, 4)) == ("postcode", 2, -3.6038)


async def test_what_names_no_place_or_several_is_not_guessed(connection: Connection) -> None:
    with pytest.raises(PlaceNotFound) as unknown:
        await gazetteer.find(connection, "alcalá")
    assert [place.name for place in unknown.value.similar] == ["Alcalá de Henares", "Alcalá del Júcar"]
    with pytest.raises(PlaceNotClear) as several:
        await gazetteer.find(connection, "MADRID")
    assert [place.place for place in several.value.places] == ["Madrid, ES-MD", "Madrid, ES-CM"]
    assert (await gazetteer.find(connection, several.value.places[1].place)).region == "ES-CM"
    for nothing in ("", " , ", "x, y", ",", "madrid, nowhere"):
        with pytest.raises(PlaceNotFound):
            await gazetteer.find(connection, nothing)
