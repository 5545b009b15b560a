"""A retired key admits nobody any more, not even those who were admitted with it before."""

import asyncio
from pathlib import Path

from shared.keys import encode_key_file
from tests import origin_world

WHERE = {"lat": "40.4", "lng": "-3.7"}


async def test_a_token_that_was_good_is_refused_once_its_key_is_retired(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        headers = origin.visitor().headers
        assert (await origin.client.get("/v1/slots", params=WHERE, headers=headers)).status_code == 200
        (tmp_path / "admission.json").write_bytes(encode_key_file("a2", {"a2": b"another-key-for-tests-of-32bytes"}))
        async with asyncio.timeout(10):
            while True:
                answer = await origin.client.get("/v1/slots", params=WHERE, headers=headers)
                if answer.status_code != 200:
                    break
                await asyncio.sleep(0.02)
        assert (answer.status_code, answer.json()["code"]) == (403, "admission_unknown_key")
