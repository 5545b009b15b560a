"""Finds everything at once that keeps a JSON value from being of a type, where msgspec stops at the first. Pure."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from origin.eligibility.formats.texts import Fault

MAX_NESTING = 64
"""Deeper values are not looked into."""


def faults(value: Any, wanted: Any, path: str = "$", depth: int = 0) -> Iterator[Fault]:
    """Yield what is wrong with a decoded JSON ``value``: no fault exactly when msgspec would take it as ``wanted``."""
    origin, bare = get_origin(wanted), _bare(wanted)
    if depth > MAX_NESTING:
        yield Fault(path, "nested too deep")
    elif isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        yield from _struct(value, bare, path, depth)
    elif origin in {Union, UnionType}:
        yield from _union(value, wanted, path, depth)
    elif get_origin(bare) is list:
        yield from _list(value, wanted, path, depth)
    elif get_origin(bare) is dict:
        yield from _dict(value, wanted, path, depth)
    else:
        yield from _plain(value, wanted, path)


def _bare(wanted: Any) -> Any:
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def _meta(wanted: Any) -> Any:
    """Return the bounds of a container itself, without what it contains."""
    kind: Any = list[Any] if get_origin(_bare(wanted)) is list else dict[str, Any]
    return kind if _bare(wanted) is wanted else Annotated[kind, *get_args(wanted)[1:]]


def _plain(value: Any, wanted: Any, path: str) -> Iterator[Fault]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        yield Fault(path, str(error).partition(" - at ")[0])


def _list(value: Any, wanted: Any, path: str, depth: int) -> Iterator[Fault]:
    yield from _plain(value, _meta(wanted), path)
    if isinstance(value, list):
        (item,) = get_args(_bare(wanted))
        for index, each in enumerate(value):
            yield from faults(each, item, f"{path}[{index}]", depth + 1)


def _dict(value: Any, wanted: Any, path: str, depth: int) -> Iterator[Fault]:
    yield from _plain(value, _meta(wanted), path)
    if isinstance(value, dict):
        names, item = get_args(_bare(wanted))
        for name, each in value.items():
            yield from _plain(name, names, f"{path}.{name}")
            yield from faults(each, item, f"{path}.{name}", depth + 1)


def _union(value: Any, wanted: Any, path: str, depth: int) -> Iterator[Fault]:
    options = get_args(wanted)
    if value is None and NoneType in options:
        return
    tagged = {option.__struct_config__.tag: option for option in options if hasattr(option, "__struct_config__")}
    if not tagged or None in tagged:
        yield from faults(value, next(option for option in options if option is not NoneType), path, depth)
        return
    tag = value.get("is") if isinstance(value, dict) else None
    chosen = tagged.get(tag) if isinstance(tag, str) else None
    if chosen is None:
        where = f"{path}.is" if isinstance(value, dict) and "is" in value else path
        yield Fault(where, f"expected an object whose `is` is one of {', '.join(sorted(tagged))}")
        return
    yield from _struct(value, chosen, path, depth)


def _struct(value: Any, wanted: type[msgspec.Struct], path: str, depth: int) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(path, "Expected `object`")
        return
    config = wanted.__struct_config__
    known = {} if config.tag_field is None else {config.tag_field}
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in value:
        if name not in fields and name not in known:
            yield Fault(f"{path}.{name}", f"unknown field `{name}`")
    for name, field in fields.items():
        if name in value:
            yield from faults(value[name], field.type, f"{path}.{name}", depth + 1)
        elif field.required:
            yield Fault(path, f"missing required field `{name}`")
