"""HTTP view of Graph: build a GraphRequest, send its GraphResponse.

Every path below /v1.0 comes here; `routing` handles the request.
"""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from simulator.graph.protocol import GraphRequest, GraphResponse, parse_target
from simulator.graph.routing import handle_batch, handle_request
from simulator.request_context import add_log_fields, base_url, request_id
from simulator.store import store


def read_graph_request(request: HttpRequest) -> GraphRequest:
    """Read a Graph request from the raw path, so that `%2F` in an id stays in one segment."""
    target = request.META.get("RAW_URI") or request.get_full_path()
    segments, query = parse_target(target)
    return GraphRequest(
        method=request.method or "GET",
        target=target,
        segments=segments,
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        content=request.body,
        base_url=base_url(request),
        request_id=request_id(request),
    )


def to_http_response(graph_response: GraphResponse) -> HttpResponse:
    """Return the Graph response as an HTTP response."""
    if graph_response.body is None:
        response = HttpResponse(status=graph_response.status)
        del response["Content-Type"]
    elif isinstance(graph_response.body, str):
        response = HttpResponse(graph_response.body, status=graph_response.status, content_type="text/plain")
    else:
        content_type = "application/json; odata.metadata=minimal; charset=utf-8"
        response = HttpResponse(
            json.dumps(graph_response.body), status=graph_response.status, content_type=content_type
        )
    for name, value in graph_response.headers.items():
        response[name] = value
    return response


@csrf_exempt
def graph(request: HttpRequest, path: str) -> HttpResponse:
    """Serve all paths below /v1.0."""
    graph_request = read_graph_request(request)
    if graph_request.segments == ("$batch",) and graph_request.method == "POST":
        graph_response, items = handle_batch(store, graph_request)
        add_log_fields(request, items=items)
        return to_http_response(graph_response)
    return to_http_response(handle_request(store, graph_request))
