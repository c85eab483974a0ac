"""What a Python handler finds around it in kinlab: a boto3-shaped module routed into the simulation, virtual sleep, captured output.

Speaks JSON lines with the program that started it: the first line brings code and event, calls of services go out and answers come back,
the last line is the result.
"""
import base64
import datetime
import importlib.abc
import importlib.util
import io
import json
import os
import sys
import time
import traceback
import types

_out, _in = sys.stdout, sys.stdin
_job = json.loads(_in.readline())
os.environ.clear()
os.environ.update(_job["env"])
_slept = 0.0
_start = _job["now_ms"] / 1000.0


def _send(message):
    _out.write(json.dumps(message) + "\n")
    _out.flush()


def _sleep(seconds):
    global _slept
    _slept += max(0.0, float(seconds))


time.sleep = _sleep
time.time = lambda: _start + _slept


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz or datetime.timezone.utc).replace(tzinfo=tz)

    @classmethod
    def utcnow(cls):
        return cls.now()


datetime.datetime = _Datetime


class ClientError(Exception):
    def __init__(self, error, operation):
        self.response = {"Error": {"Code": error["code"], "Message": error["message"]}, "ResponseMetadata": {"HTTPStatusCode": error["status"]}}
        self.operation_name = operation
        super().__init__("An error occurred (%s) when calling the %s operation: %s" % (error["code"], operation, error["message"]))


def _wire(value):
    if isinstance(value, (bytes, bytearray)):
        return {"__bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {k: _wire(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_wire(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value


def _unwire(value, name=""):
    if isinstance(value, str) and name == "Data":
        return base64.b64decode(value)
    if isinstance(value, dict):
        return {k: _unwire(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_unwire(v) for v in value]
    return value


class _Client:
    def __init__(self, service):
        self._service = service
        self.exceptions = types.SimpleNamespace(ClientError=ClientError)
        self.meta = types.SimpleNamespace(region_name="us-east-1")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        operation = "".join(word.capitalize() for word in name.split("_"))

        def call(**params):
            _send({"call": {"service": self._service, "operation": operation, "params": _wire(params)}})
            answer = json.loads(_in.readline())
            if "error" in answer:
                raise ClientError(answer["error"], operation)
            return _unwire(answer["ok"])

        return call


def _module(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


def _client(service, *args, **kwargs):
    return _Client(service)


class _Session:
    region_name = "us-east-1"

    def __init__(self, *args, **kwargs):
        pass

    client = staticmethod(_client)


_module("boto3", client=_client, session=types.SimpleNamespace(Session=_Session), Session=_Session)
_exceptions = _module("botocore.exceptions", ClientError=ClientError, BotoCoreError=Exception)
_module("botocore.config", Config=lambda *a, **k: None)
_module("botocore", exceptions=_exceptions)


class _Files(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        for file in (name.replace(".", "/") + ".py", name.replace(".", "/") + "/__init__.py"):
            if file in _job["files"]:
                return importlib.util.spec_from_loader(name, self, is_package=file.endswith("__init__.py"), origin="/var/task/" + file)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        file = module.__spec__.origin[len("/var/task/"):]
        exec(compile(_job["files"][file], module.__spec__.origin, "exec"), module.__dict__)


sys.meta_path.insert(0, _Files())


class _Context:
    aws_request_id = _job["context"]["requestId"]
    function_name = _job["context"]["functionName"]
    function_version = "$LATEST"
    invoked_function_arn = _job["context"]["arn"]
    memory_limit_in_mb = str(_job["context"]["memory"])
    log_group_name = "/aws/lambda/" + function_name
    log_stream_name = "$LATEST"

    @staticmethod
    def get_remaining_time_in_millis():
        return max(0, int(_job["context"]["timeout"] - _slept * 1000))


def _run():
    module = _job["file"][:-3].replace("/", ".")
    try:
        handler = getattr(__import__(module, fromlist=["x"]), _job["function"], None)
    except ModuleNotFoundError as error:
        return {"threw": {"errorType": "Runtime.ImportModuleError", "errorMessage": "Unable to import module '%s': %s" % (module, error), "trace": []}}
    if handler is None:
        return {"threw": {"errorType": "Runtime.HandlerNotFound", "errorMessage": "Handler '%s' missing on module '%s'" % (_job["function"], module), "trace": []}}
    answer = handler(_job["event"], _Context())
    try:
        return {"returned": json.dumps(answer)}
    except (TypeError, ValueError) as error:
        return {"threw": {"errorType": "Runtime.MarshalError", "errorMessage": "Unable to marshal response: %s" % error, "trace": []}}


sys.stdout = sys.stderr = io.StringIO()
try:
    result = _run()
except MemoryError:
    result = {"memory": True}
except BaseException as error:  # a handler may raise anything, SystemExit too
    trace = traceback.format_exc().strip().split("\n")
    result = {"threw": {"errorType": type(error).__name__, "errorMessage": str(error), "trace": trace[-8:]}}
result["logs"] = sys.stdout.getvalue().splitlines()[:1000]
result["slept"] = _slept
_send(result)
