"""Errors as pages, for those who came with a browser; programs keep getting problem+json."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from shared import problem
from shared.http import answer_http_exception, answer_problem
from shared.problem import Problem
from shared.web import languages
from shared.web.texts import marked

ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True)
class Said:
    """What an error page says: what happened, what it means, what to do."""

    heading: str
    text: str
    advice: str = ""


_BY_STATUS: Mapping[int, Said] = {
    403: Said(marked("This is not open to you"), marked("You do not have access to this page.")),
    404: Said(
        marked("We could not find this page"), marked("The address may be mistyped, or the page may have moved.")
    ),
    405: Said(marked("We could not find this page"), marked("This address cannot be opened in this way.")),
    413: Said(marked("That was too much at once"), marked("What was sent is larger than this form allows.")),
    429: Said(
        marked("Please wait a moment"),
        marked("Many people are doing this right now."),
        marked("Nothing is lost. Try again shortly."),
    ),
    503: Said(
        marked("We will be back in a moment"),
        marked(
            "A part of our system does not answer right now. "
            "Nothing you have is lost: places and appointments are kept."
        ),
        marked("Wait a few seconds, then try again."),
    ),
}
_REFUSED = Said(
    marked("We could not do that"), marked("What was sent could not be understood."), marked("Go back and try again.")
)
_FAULT = Said(
    marked("Something went wrong on our side"),
    marked("It is our fault, not yours. Nothing that was confirmed is lost."),
    marked("Try again in a few minutes."),
)


class ErrorPages:
    """Renders errors in the common look."""

    def __init__(self, environments: Mapping[str, Environment]) -> None:
        self._templates = {lang: made.get_template("error.html") for lang, made in environments.items()}

    def render(self, error: Problem, *, again: str = "/", lang: str, back: str | None = None) -> Response:
        """Return the page for a problem in a language.

        Args:
            again: where its button leads.
            back: where the language switch leads; none without it.
        """
        status = error.kind.status
        said = _BY_STATUS.get(status) or (_FAULT if status >= 500 else _REFUSED)
        retry = status in {429, 503}
        html = self._templates[lang].render(
            back=back,
            heading=said.heading,
            text=said.text,
            advice=said.advice,
            action=marked("Try again") if retry else marked("Go to the start page"),
            action_url=again if retry else "/",
            code=error.kind.code if status >= 400 and status not in {404, 405} else "",
        )
        headers = {"Cache-Control": "no-store"} | languages.headers(lang) | error.headers
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, error.retry_after_s))
        return HTMLResponse(html, status, headers)

    def handlers(self) -> dict[type[Exception], ExceptionHandler]:
        """Return exception handlers for an app: a page for browsers, problem+json for everybody else."""
        return {Problem: self.refusal, HTTPException: self._http_exception}

    async def refusal(self, request: Request, error: Exception) -> Response:
        """Answer a Problem: with a page to a browser, with problem+json to a program."""
        if isinstance(error, Problem) and wants_html(request):
            return self.render(error, again=_again(request), **_of(request))
        return await answer_problem(request, error)

    def fault(self, scope: Scope) -> Response | None:
        """Return the page for a fault of our own, or None where a program asked."""
        request = Request(scope)
        return self.render(Problem(problem.INTERNAL), **_of(request)) if wants_html(request) else None

    async def _http_exception(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and wants_html(request):
            kind = {404: problem.NOT_FOUND, 405: problem.METHOD_NOT_ALLOWED, 413: problem.BODY_TOO_LARGE}
            found = kind.get(error.status_code)
            if found is not None:
                return self.render(Problem(found, headers=error.headers), **_of(request))
        return await answer_http_exception(request, error)


def wants_html(request: Request) -> bool:
    """Tell browsers that load a page from programs that call the interface."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


class _Of(TypedDict):
    lang: str
    back: str | None


def _of(request: Request) -> _Of:
    back = request.url.path if request.method == "GET" else None
    return {"lang": languages.language_of(request.scope), "back": back}


def _again(request: Request) -> str:
    return request.url.path if request.method == "GET" else "/"
