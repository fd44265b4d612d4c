"""The system: how each service says that it is, this console's version, and who is asking."""

from importlib.metadata import version

from starlette.responses import Response

from holdfast.console.visit import Visit


async def system(visit: Visit) -> Response:
    """Show how services are. One that is away is told of, and holds up nothing."""
    return visit.show(
        "system.html",
        services=await visit.client.health(),
        version=version("holdfast"),
        scopes=sorted(visit.caller.scopes),
    )
