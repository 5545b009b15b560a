"""Sends what an OpenAPI document allows, and what it does not, and checks the answers against the document.

Deterministic: the same document gives the same requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@contextmanager
def _blind_to_our_code() -> Iterator[None]:
    """Hypothesis tries constants of the code under test too: any change of any module would change the requests."""
    kept = providers._get_local_constants
    providers.CONSTANTS_CACHE.cache.clear()
    providers._get_local_constants = Constants
    try:
        yield
    finally:
        providers._get_local_constants = kept
        providers.CONSTANTS_CACHE.cache.clear()


def fuzz(
    document: Mapping[str, Any],
    base_url: str,
    headers: Mapping[str, str],
    examples: int,
    good: Mapping[str, dict[str, Any]] = MappingProxyType({}),
) -> set[tuple[str, int]]:
    """Send ``examples`` requests to each operation, good and bad ones; return the operations and statuses seen.

    ``headers`` are sent with every second request, so that it gets behind what they open. ``good``: by operation, a
    body, or a query where it reads, that is sent as well, with them.

    Raises:
        FailureGroup: an answer was a 5xx, or is not what the document says.
    """
    seen: set[tuple[str, int]] = set()
    schema = schemathesis.openapi.from_dict(dict(document))
    with requests.Session() as session, _blind_to_our_code():
        for found in schema.get_all_operations():
            if isinstance(found, Err):
                raise found.err()
            operation = found.ok()
            cases = st.one_of(
                operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
                operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
            )

            @settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=cases, known=st.booleans())
            def send(case: Case[Any], known: bool) -> None:
                answer = case.call(base_url=base_url, session=session, headers=dict(headers) if known else None)
                seen.add((case.operation.label, answer.status_code))
                case.validate_response(answer, checks=_CHECKS)

            send()
            if (sent := good.get(operation.label)) is not None:
                reads = operation.method.upper() == "GET"
                case = operation.Case(query=sent) if reads else operation.Case(body=sent, media_type="application/json")
                answer = case.call_and_validate(
                    base_url=base_url, session=session, headers=dict(headers), checks=_CHECKS
                )
                seen.add((operation.label, answer.status_code))
    return seen
