"""What tests of the visitors' JSON share: rooms, refusals, being called."""

import httpx

CALLED = {"rate_per_s": 2000.0, "burst": 1000}  # everybody is called as they come
WAITING = {"rate_per_s": 0.01, "burst": 1}  # nobody is called while the test lasts


def code(response: httpx.Response) -> str:
    """The stable code of a refusal, which is problem+json in every respect."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:vestibule:problem:{body['code']}"
    if response.status_code in {429, 503}:
        assert int(response.headers["retry-after"]) >= 1
    return str(body["code"])


async def called(visitor: httpx.AsyncClient, room: str = "demo") -> None:
    """Join and wait for the call."""
    assert (await visitor.post(f"/v1/rooms/{room}/tickets")).status_code == 201
    for _ in range(500):
        if (await visitor.get(f"/v1/rooms/{room}/tickets/me")).json()["state"] == "called":
            return
    raise AssertionError("nobody was called")
