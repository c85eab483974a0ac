"""What a Python handler finds around it in kinlab: a boto3-shaped module routed into the simulation, virtual sleep, captured output.

Speaks JSON lines with the program that started it: the first line brings code and event, calls of services go out and answers come back,
the last line is the result.
"""
import base64
import datetime
import decimal
import importlib.abc
import importlib.util
import io
import json
import os
import re
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


class _Exceptions:
    """The errors of a client by their names, `client.exceptions.ResourceNotFoundException`; made when asked for."""

    ClientError = ClientError
    _made = {}

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._made.setdefault(name, type(name, (ClientError,), {}))


_exceptions_of = _Exceptions()


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
    if isinstance(value, str) and name in ("Data", "B"):
        return base64.b64decode(value)
    if isinstance(value, dict):
        return {k: _unwire(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_unwire(v, "B" if name == "BS" else "") for v in value]
    return value


def _call(service, operation, params):
    _send({"call": {"service": service, "operation": operation, "params": _wire(params)}})
    answer = json.loads(_in.readline())
    if "error" in answer:
        raise getattr(_exceptions_of, answer["error"]["code"])(answer["error"], operation)
    ok = _unwire(answer["ok"])
    if isinstance(ok, dict):
        ok.setdefault("ResponseMetadata", {"HTTPStatusCode": 200, "RetryAttempts": 0})
    return ok


class _Client:
    def __init__(self, service):
        self._service = service
        self.exceptions = _exceptions_of
        self.meta = types.SimpleNamespace(region_name="us-east-1")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        operation = "".join(word.capitalize() for word in name.split("_"))
        return lambda **params: _call(self._service, operation, params)


# ---- DynamoDB's resource: Python values instead of attribute values ----------------------------------------------------------------------
class Binary:
    def __init__(self, value):
        self.value = bytes(value)

    def __bytes__(self):
        return self.value

    def __eq__(self, other):
        return self.value == bytes(other)

    def __hash__(self):
        return hash(self.value)


class TypeSerializer:
    def serialize(self, value):
        if value is None:
            return {"NULL": True}
        if isinstance(value, bool):
            return {"BOOL": value}
        if isinstance(value, float):
            raise TypeError("Float types are not supported. Use Decimal types instead.")
        if isinstance(value, (int, decimal.Decimal)):
            return {"N": str(value)}
        if isinstance(value, str):
            return {"S": value}
        if isinstance(value, (bytes, bytearray, Binary)):
            return {"B": bytes(value)}
        if isinstance(value, (set, frozenset)):
            items = sorted(value, key=str)
            kind = {"S": "SS", "N": "NS", "B": "BS"}[next(iter(self.serialize(items[0])))] if items else "SS"
            return {kind: [next(iter(self.serialize(item).values())) for item in items]}
        if isinstance(value, dict):
            return {"M": {k: self.serialize(v) for k, v in value.items()}}
        if isinstance(value, (list, tuple)):
            return {"L": [self.serialize(v) for v in value]}
        raise TypeError('Unsupported type "%s" for value "%s"' % (type(value), value))


class TypeDeserializer:
    def deserialize(self, value):
        (kind, inner), = value.items()
        if kind == "NULL":
            return None
        if kind == "N":
            return decimal.Decimal(inner)
        if kind == "B":
            return Binary(inner)
        if kind == "SS":
            return set(inner)
        if kind == "NS":
            return set(decimal.Decimal(item) for item in inner)
        if kind == "BS":
            return set(Binary(item) for item in inner)
        if kind == "M":
            return {k: self.deserialize(v) for k, v in inner.items()}
        if kind == "L":
            return [self.deserialize(v) for v in inner]
        return inner


class _Condition:
    """A condition of `boto3.dynamodb.conditions`: a form with `{}` for each operand."""

    def __init__(self, form, *operands):
        self.form, self.operands = form, operands

    def __and__(self, other):
        return _Condition("({} AND {})", self, other)

    def __or__(self, other):
        return _Condition("({} OR {})", self, other)

    def __invert__(self):
        return _Condition("(NOT {})", self)

    def text(self, names, values, prefix):
        def one(operand):
            if isinstance(operand, _Condition):
                return operand.text(names, values, prefix)
            if isinstance(operand, _Name):
                parts = []
                for part in re.split(r"([.\[\]0-9]*[.\[\]][.\[\]0-9]*)", operand.name):
                    if part and not re.fullmatch(r"[.\[\]0-9]+", part):
                        names["#%s%d" % (prefix, len(names))] = part
                        part = "#%s%d" % (prefix, len(names) - 1)
                    parts.append(part)
                return "".join(parts)
            values[":%s%d" % (prefix, len(values))] = operand
            return ":%s%d" % (prefix, len(values) - 1)

        return self.form.format(*[one(operand) for operand in self.operands])


class _Name:
    def __init__(self, name):
        self.name = name

    def eq(self, value):
        return _Condition("{} = {}", self, value)

    def ne(self, value):
        return _Condition("{} <> {}", self, value)

    def lt(self, value):
        return _Condition("{} < {}", self, value)

    def lte(self, value):
        return _Condition("{} <= {}", self, value)

    def gt(self, value):
        return _Condition("{} > {}", self, value)

    def gte(self, value):
        return _Condition("{} >= {}", self, value)

    def begins_with(self, value):
        return _Condition("begins_with({}, {})", self, value)

    def between(self, low, high):
        return _Condition("{} BETWEEN {} AND {}", self, low, high)

    def is_in(self, values):
        return _Condition("{} IN (" + ", ".join("{}" for _ in values) + ")", self, *values)

    def exists(self):
        return _Condition("attribute_exists({})", self)

    def not_exists(self):
        return _Condition("attribute_not_exists({})", self)

    def contains(self, value):
        return _Condition("contains({}, {})", self, value)

    def attribute_type(self, value):
        return _Condition("attribute_type({}, {})", self, value)

    def size(self):
        return _Size(self)


class _Size(_Name):
    def __init__(self, inner):
        self.inner = _Condition("size({})", inner)

    def __getattribute__(self, name):
        if name in ("eq", "ne", "lt", "lte", "gt", "gte", "between"):
            inner = object.__getattribute__(self, "inner")

            def made(*values):
                condition = getattr(_Name("x"), name)(*values)
                return _Condition(condition.form, inner, *values)

            return made
        return object.__getattribute__(self, name)


_ITEMS = ("Item", "Key", "ExpressionAttributeValues", "ExclusiveStartKey", "Attributes", "LastEvaluatedKey")


def _throughout(value, one):
    if isinstance(value, list):
        return [_throughout(v, one) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, inner in value.items():
        if name in _ITEMS and isinstance(inner, dict):
            out[name] = {k: one(v) for k, v in inner.items()}
        elif name in ("Items", "Keys") and isinstance(inner, list):
            out[name] = [{k: one(v) for k, v in item.items()} for item in inner]
        elif name == "Responses":
            out[name] = {table: [{k: one(v) for k, v in item.items()} for item in items] for table, items in inner.items()}
        else:
            out[name] = _throughout(inner, one)
    return out


def _document(operation, params):
    params = dict(params)
    names, values = {}, {}
    for n, member in enumerate(("KeyConditionExpression", "FilterExpression", "ConditionExpression")):
        if isinstance(params.get(member), _Condition):
            params[member] = params[member].text(names, values, "knfc"[n] + "_")
    if names:
        params["ExpressionAttributeNames"] = {**params.get("ExpressionAttributeNames", {}), **names}
    if values:
        params["ExpressionAttributeValues"] = {**params.get("ExpressionAttributeValues", {}), **values}
    return _throughout(_call("dynamodb", operation, _throughout(params, TypeSerializer().serialize)), TypeDeserializer().deserialize)


class _BatchWriter:
    def __init__(self, table):
        self.table, self.requests = table, []

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        while self.requests and kind is None:
            self._flush()

    def _add(self, request):
        self.requests.append(request)
        if len(self.requests) >= 25:
            self._flush()

    def _flush(self):
        batch, self.requests = self.requests[:25], self.requests[25:]
        answer = _document("BatchWriteItem", {"RequestItems": {self.table: batch}})
        self.requests = answer.get("UnprocessedItems", {}).get(self.table, []) + self.requests

    def put_item(self, Item):
        self._add({"PutRequest": {"Item": Item}})

    def delete_item(self, Key):
        self._add({"DeleteRequest": {"Key": Key}})


class _Table:
    def __init__(self, name):
        self.name = self.table_name = name

    def batch_writer(self, *args, **kwargs):
        return _BatchWriter(self.name)

    def __getattr__(self, name):
        operations = {"put_item": "PutItem", "get_item": "GetItem", "update_item": "UpdateItem", "delete_item": "DeleteItem", "query": "Query", "scan": "Scan"}
        if name not in operations:
            raise AttributeError("'dynamodb.Table' object has no attribute '%s'" % name)
        return lambda **params: _document(operations[name], {"TableName": self.name, **params})


class _DynamoDb:
    Table = staticmethod(_Table)

    def __init__(self):
        self.meta = types.SimpleNamespace(client=_Client("dynamodb"))

    def batch_get_item(self, **params):
        return _document("BatchGetItem", params)

    def batch_write_item(self, **params):
        return _document("BatchWriteItem", params)


class _Topic:
    def __init__(self, arn):
        self.arn = arn

    def publish(self, **params):
        return _call("sns", "Publish", {"TopicArn": self.arn, **params})


def _resource(service, *args, **kwargs):
    if service == "dynamodb":
        return _DynamoDb()
    if service == "sns":
        return types.SimpleNamespace(Topic=_Topic, meta=types.SimpleNamespace(client=_Client("sns")))
    raise ValueError("the resource '%s' does not exist here: use boto3.client" % service)


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
    resource = staticmethod(_resource)


_conditions = _module("boto3.dynamodb.conditions", Key=_Name, Attr=_Name)
_types = _module("boto3.dynamodb.types", TypeSerializer=TypeSerializer, TypeDeserializer=TypeDeserializer, Binary=Binary)
_dynamodb = _module("boto3.dynamodb", conditions=_conditions, types=_types)
_module("boto3", client=_client, resource=_resource, session=types.SimpleNamespace(Session=_Session), Session=_Session, dynamodb=_dynamodb)
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
