"""Graph over HTTP."""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from simulator.graph.protocol import GraphCall, GraphReply, parse_target
from simulator.graph.routing import answer, answer_batch
from simulator.request_context import base_url, note, request_id
from simulator.store import world


def graph_call(request: HttpRequest) -> GraphCall:
    """The call in an HTTP request; the raw path, so that `%2F` in an id stays one segment."""
    target = request.META.get("RAW_URI") or request.get_full_path()
    segments, query = parse_target(target)
    return GraphCall(
        method=request.method or "GET",
        target=target,
        segments=segments,
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        content=request.body,
        base_url=base_url(request),
        request_id=request_id(request),
    )


def http_response(reply: GraphReply) -> HttpResponse:
    """Graph's answer as HTTP."""
    if reply.body is None:
        response = HttpResponse(status=reply.status)
        del response["Content-Type"]
    elif isinstance(reply.body, str):
        response = HttpResponse(reply.body, status=reply.status, content_type="text/plain")
    else:
        content_type = "application/json; odata.metadata=minimal; charset=utf-8"
        response = HttpResponse(json.dumps(reply.body), status=reply.status, content_type=content_type)
    for name, value in reply.headers.items():
        response[name] = value
    return response


@csrf_exempt
def graph(request: HttpRequest, path: str) -> HttpResponse:
    """Everything below /v1.0."""
    call = graph_call(request)
    if call.segments == ("$batch",) and call.method == "POST":
        reply, items = answer_batch(world, call)
        note(request, items=items)
        return http_response(reply)
    return http_response(answer(world, call))
