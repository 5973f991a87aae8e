# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a Snowflake account: fakesnow's server, made to answer the Node driver, with a history that the test
delivers and with faults that the test orders. It is not Snowflake: see docs/guides/warehouses.md.

Usage: server.py PORT USER PASSWORD; says `listening on PORT` once it does.
"""

import asyncio
import base64
import gzip
import json
import re
import sys
import uuid

import driver_dialect
import fakesnow.server as base
import uvicorn
from account_history import AccountHistory
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PORT, USER, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ACCOUNT, REGION = "CLYRA1", "AWS_EU_CENTRAL_1"
HISTORY = AccountHistory()
CHUNKS = driver_dialect.Chunks()
# Each counts down by one answer: `short` loses the last row of a result, `slow` comes late, `broken` is an HTTP 503;
# `empty` loses all rows of a page of the history.
FAULTS = {"short": 0, "empty": 0, "slow": 0, "broken": 0, "refused": 0}
SLOW_S = 3
QUERIES = []


def due(fault):
    if FAULTS[fault] < 1:
        return False
    FAULTS[fault] -= 1
    return True


async def body_of(request):
    raw = await request.body()
    packed = request.headers.get("Content-Encoding") == "gzip"
    return json.loads(gzip.decompress(raw) if packed else raw)


def replaced_body(request, body):
    """fakesnow reads the request anew: it shall find this one."""
    request._body = json.dumps(body).encode()
    request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"content-encoding"]
    if hasattr(request, "_headers"):
        del request._headers


async def login(request):
    data = (await body_of(request))["data"]
    if due("refused") or (data.get("LOGIN_NAME"), data.get("PASSWORD")) != (USER, PASSWORD):
        message = "Incorrect username or password was specified."
        return JSONResponse({"success": False, "code": "390100", "message": message, "data": None})
    answer = json.loads((await base.login_request(request)).body)
    for parameter in answer["data"]["parameters"]:
        if parameter["name"] == "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD":
            parameter["value"] = 65280  # 0 means "always through a stage" to the Node driver
    answer["data"]["masterToken"] = answer["data"]["token"]
    return JSONResponse(answer)


def about_the_session(sql):
    """What fakesnow has no function for, or no clock."""
    for name, value in (("current_account", ACCOUNT), ("current_region", REGION)):
        sql = re.sub(rf"\b{name}\(\)", f"'{value}'", sql, flags=re.I)
    return re.sub(r"\bcurrent_timestamp\(\)", f"to_timestamp_tz('{HISTORY.now_ms}', 3)", sql, flags=re.I)


async def query(request):
    if due("broken"):
        return Response("unavailable", status_code=503)
    if due("slow"):
        await asyncio.sleep(SLOW_S)
    body = await body_of(request)
    QUERIES.append(body["sqlText"])
    replaced_body(request, {**body, "sqlText": about_the_session(body["sqlText"])})
    response = await base.query_request(request)
    answer = json.loads(response.body)
    data = answer.get("data")
    if not isinstance(data, dict):
        return JSONResponse(answer, status_code=response.status_code)
    data.setdefault("queryId", str(uuid.uuid4()))
    if answer["success"]:
        origin = f"{request.url.scheme}://{request.url.netloc}"
        give_rows(data, origin, is_page="left_count" in body["sqlText"])
    return JSONResponse(answer, status_code=response.status_code)


def give_rows(data, origin, is_page):
    packed = data.pop("rowsetBase64", None)
    rows = json.loads(base64.b64decode(packed)) if packed else data.get("rowset", [])
    if len(rows) > 1 and due("short"):
        rows = rows[:-1]
    if is_page and due("empty"):
        rows = []
    data["queryResultFormat"] = "json"
    data["total"] = data["returned"] = len(rows)
    data["parameters"] = driver_dialect.OUTPUT_FORMATS
    CHUNKS.cut(data, rows, origin)


async def chunk(request):
    headers = {"content-encoding": "gzip"}
    return Response(CHUNKS.bodies[request.path_params["name"]], headers=headers, media_type="text/plain")


async def ordered(request):
    """What the test orders; nothing of it exists at Snowflake."""
    order = await body_of(request)
    if order.get("clear"):
        HISTORY.clear()
    if "clock_ms" in order:
        HISTORY.set_clock(order["clock_ms"])
    if "deliver" in order:
        HISTORY.deliver(order["deliver"])
    if "forget_before_ms" in order:
        HISTORY.forget(order["forget_before_ms"])
    FAULTS.update(order.get("faults", {}))
    if order.get("end_sessions"):
        base.sessions.clear()
    asked, QUERIES[:] = list(QUERIES), []
    return JSONResponse({"asked": asked})


def ok(_request):
    return JSONResponse({"success": True, "data": None})


OURS = [
    Route("/session/v1/login-request", login, methods=["POST"]),
    Route("/queries/v1/query-request", query, methods=["POST"]),
    Route("/telemetry/send", ok, methods=["POST"]),
    Route("/chunks/{name}", chunk, methods=["GET"]),
    Route("/standin", ordered, methods=["POST"]),
]
TAKEN = {route.path for route in OURS}
APP = Starlette(routes=OURS + [route for route in base.routes if route.path not in TAKEN])


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"listening on {self.servers[0].sockets[0].getsockname()[1]}", flush=True)


Server(uvicorn.Config(APP, host="127.0.0.1", port=PORT, log_level="critical")).run()
