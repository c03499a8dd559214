"""The application: routes, errors, what holds for every request."""

from collections.abc import Collection
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from rolewatch import __version__
from rolewatch.web import (
    routes_alarms,
    routes_audit,
    routes_base,
    routes_blind,
    routes_coverage,
    routes_findings,
    routes_query,
    routes_replays,
)
from rolewatch.web.blind_counts import Overview
from rolewatch.web.desk import Desk
from rolewatch.web.guard import Guard
from rolewatch.web.problems import answer_errors
from rolewatch.web.pulse import pulse_of
from rolewatch.web.queries import Queries

ROUTES: Final = (
    routes_base, routes_findings, routes_alarms, routes_replays, routes_blind, routes_coverage, routes_query, routes_audit,
)  # fmt: skip


def create_app(desk: Desk, *, hosts: Collection[str], numeric: bool = False) -> FastAPI:
    """Make the application of a desk. `hosts` and `numeric`: by which names it may be called (`guard.Guard`)."""
    app = FastAPI(
        title="rolewatch", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
        description="Which AWS service has gone blind: findings of a watcher, alarms, queries and coverage.",
    )  # fmt: skip
    app.state.desk, app.state.pulse, app.state.overview = desk, pulse_of(desk), Overview(desk)
    app.state.queries = Queries()
    answer_errors(app)
    for routes in ROUTES:
        app.include_router(routes.api)
        app.include_router(routes.pages)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(Guard, hosts=hosts, numeric=numeric)
    return app
