"""The OpenAPI 3.1 document of a service, made from its endpoint table."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from shared import problem
from shared.http import Endpoint
from shared.problem import ProblemBody, ProblemType

_REF = "#/components/schemas/{name}"


def document(
    *,
    title: str,
    version: str,
    description: str,
    endpoints: Sequence[Endpoint],
    security_schemes: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, Any]:
    """Return the document as JSON-able values.

    Every operation also lists the problems that any request can meet: 503 while a store is away, 405, 413 for bodies.
    """
    types = _component_types(endpoints)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": dict(security_schemes or {})},
    }


def _component_types(endpoints: Iterable[Endpoint]) -> list[Any]:
    found: dict[Any, None] = {ProblemBody: None}
    for endpoint in endpoints:
        for kind in (endpoint.body, endpoint.query, *endpoint.answers.values()):
            if kind is not None and not isinstance(kind, str):
                found[kind] = None
    return list(found)


def _operation(endpoint: Endpoint, schemas: Mapping[Any, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": endpoint.handler.__name__,
        "responses": _success(endpoint, schemas) | _refusals(endpoint),
    }
    parameters = _parameters(endpoint, schemas, components)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": endpoint.body_required,
            "content": {"application/json": {"schema": schemas[endpoint.body]}},
        }
    if endpoint.uploads:
        files = {media: {"schema": {"type": "string", "format": "binary"}} for media in endpoint.uploads}
        operation["requestBody"] = {"required": True, "content": files}
    if endpoint.security:
        operation["security"] = [{name: []} for name in endpoint.security]
    return operation


def _success(endpoint: Endpoint, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, kind in endpoint.answers.items():
        answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if isinstance(kind, str):
            answer["content"] = {kind: {"schema": {"type": "string"}}}
        elif kind is not None:
            answer["content"] = {"application/json": {"schema": schemas[kind]}}
        answers[str(status)] = answer
    return answers


def _refusals(endpoint: Endpoint) -> dict[str, Any]:
    kinds = [*endpoint.problems, problem.METHOD_NOT_ALLOWED, problem.STORE_UNAVAILABLE]
    if endpoint.path_params:
        kinds.append(problem.NOT_FOUND)
    if endpoint.query is not None:
        kinds.append(problem.INVALID_QUERY)
    if endpoint.body is not None:
        kinds += [
            problem.MALFORMED_JSON,
            problem.INVALID_BODY,
            problem.UNSUPPORTED_MEDIA_TYPE,
            problem.BODY_TOO_LARGE,
        ]
    if endpoint.uploads:
        kinds += [problem.UNSUPPORTED_MEDIA_TYPE, problem.BODY_TOO_LARGE]
    by_status: dict[int, dict[str, ProblemType]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, {})[kind.code] = kind
    return {str(status): _refusal(list(kinds.values())) for status, kinds in sorted(by_status.items())}


def _refusal(kinds: Sequence[ProblemType]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
        "content": {problem.MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="ProblemBody")}}},
    }
    if kinds[0].status in {429, 503}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    return answer


def _parameters(endpoint: Endpoint, schemas: Mapping[Any, Any], components: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": dict(schema)}
        for name, schema in endpoint.path_params.items()
    ]
    if endpoint.query is not None:
        form = _resolve(schemas[endpoint.query], components)
        required = set(form.get("required", ()))
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in form["properties"].items()
        ]
    found += [
        {
            "name": header.name,
            "in": "header",
            "required": header.required,
            "description": header.description,
            "schema": dict(header.schema),
        }
        for header in endpoint.headers
    ]
    found += [
        {"name": name, "in": "cookie", "required": False, "schema": {"type": "string"}} for name in endpoint.cookies
    ]
    return found


def _resolve(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    resolved: Mapping[str, Any] = components[str(reference).rsplit("/", 1)[-1]]
    return resolved
