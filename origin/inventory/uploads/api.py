"""``/v1/admin/programmes/{programme}/supply…``: bring files of supply, and read what came of them."""

from typing import Annotated

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.admin.api import PATH, PROGRAMME
from origin.inventory.bulk.report import Booked
from origin.inventory.uploads import receiving
from origin.inventory.uploads.models import Run, Supplied, Upload
from origin.inventory.uploads.receiving import MAY
from origin.state import state_of
from shared import problem
from shared.http import Endpoint, Json, read_body, read_query
from shared.problem import FORBIDDEN, UNAUTHENTICATED, Problem

MULTIPART = "multipart/form-data"
_RAW = {"text/csv": "supply.csv", "application/x-ndjson": "supply.ndjson", "application/ndjson": "supply.ndjson"}


class ImportForm(msgspec.Struct):
    """How files are brought. ``name``: what a body that is one file is called in the report."""

    dry_run: bool = False
    booked: Booked | None = None
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""


async def import_supply(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await state.people.official(request, *MAY)
    form = read_query(request, ImportForm)
    run = Run(form.dry_run, form.booked)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    programme: str = request.path_params["programme"]
    if media == MULTIPART:
        try:
            async with request.form(max_files=receiving.MOST_FILES, max_fields=10) as parts:
                upload = await receiving.keep(state, programme, receiving.from_form(parts), run, official)
        except HTTPException as fault:
            raise Problem(errors.UPLOAD_FILES_MISSING, fault.detail) from None
    elif media in _RAW:
        async with receiving.from_body(request, form.name or _RAW[media]) as files:
            upload = await receiving.keep(state, programme, files, run, official)
    else:
        raise Problem(problem.UNSUPPORTED_MEDIA_TYPE, f"send {MULTIPART}, {', '.join(_RAW)}")
    told = await receiving.upload_of(state, programme, str(upload))
    return Json(told, 202, location=f"{PATH.format(programme=programme)}/supply/{upload}")


async def list_supply(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await state.people.official(request, *MAY)
    return Json(await receiving.supplied(state, request.path_params["programme"]))


async def read_upload(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await state.people.official(request, *MAY)
    return Json(await receiving.upload_of(state, request.path_params["programme"], request.path_params["upload"]))


async def run_upload(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await state.people.official(request, *MAY)
    run = await read_body(request, Run)
    upload: str = request.path_params["upload"]
    return Json(await receiving.run_again(state, request.path_params["programme"], upload, run, official), 202)


_UPLOAD = PROGRAMME | {"upload": {"type": "string", "format": "uuid"}}
_REFUSED = (UNAUTHENTICATED, FORBIDDEN, errors.PROGRAMME_UNKNOWN)

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH + "/supply:import",
        import_supply,
        "Bring files of supply, or have them checked; the report is that of the upload, once it is over",
        answers={202: Upload},
        uploads=(MULTIPART, *_RAW),
        query=ImportForm,
        path_params=PROGRAMME,
        problems=(*_REFUSED, errors.UPLOAD_FILES_MISSING),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/supply",
        list_supply,
        "The newest uploads and imports of a programme",
        answers={200: Supplied},
        path_params=PROGRAMME,
        problems=_REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/supply/{upload}",
        read_upload,
        "How far an upload is, and its report",
        answers={200: Upload},
        path_params=_UPLOAD,
        problems=(*_REFUSED, errors.UPLOAD_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/supply/{upload}:run",
        run_upload,
        "Run an upload again: bring what was only checked, or decide about people in the way",
        answers={202: Upload},
        body=Run,
        path_params=_UPLOAD,
        problems=(*_REFUSED, errors.UPLOAD_UNKNOWN, errors.UPLOAD_FILES_GONE, errors.UPLOAD_RUNS),
        security=("bearer",),
    ),
)
