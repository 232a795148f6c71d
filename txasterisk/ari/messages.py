"""
ARI without a network: what is asked becomes a :class:`Request`, bytes become typed values.

Here, and nowhere else, paths are percent-encoded, parameters checked and put into JSON, answers
turned into a result or the right error, and events decoded. Asterisk takes a parameter of the
wrong JSON type for none at all, reads a path with an empty part as another operation, and some
requests end its process; all of these are refused before they are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from ..errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidState,
    LocalProtocolError,
    LoginRefused,
    NotFound,
    RemoteProtocolError,
    RequestFailed,
    ServerFailed,
    Unprocessable,
)
from .models import EVENTS, Bridge, Channel, Event, LiveRecording, Playback

__all__ = [
    "BOOLEAN",
    "FIELDS",
    "INTEGER",
    "MAX_ANSWER",
    "MAX_EVENT",
    "OBJECT",
    "TEXT",
    "TEXTS",
    "Kind",
    "Operation",
    "Request",
    "Response",
    "decode_event",
    "event_type",
    "events_resource",
    "objects_of",
    "request_for",
]

T = TypeVar("T")

#: The most bytes of one event. Asterisk's are 0.5 to 2 kB; the largest carry what users put into
#: them: a text message, or the variables of a user event, which it takes up to 40 kB.
MAX_EVENT: Final = 1 << 20

#: The most bytes of one answer: some 50,000 channels in a list, or an hour of recorded sound.
MAX_ANSWER: Final = 1 << 26


# ---- asking ---------------------------------------------------------------------------------


class Kind(NamedTuple):
    """What a parameter must be, and how it is brought into the form that Asterisk reads."""

    wanted: str
    convert: Callable[[Any], object]


class Request(NamedTuple):
    """What goes to Asterisk: the resource is the path below ``/ari``, encoded, with its query."""

    method: str
    resource: str
    body: bytes | None


class Operation(Generic[T]):
    """
    What is known of one operation: how it is asked, and what its answer is decoded into.

    :param method: the HTTP method.
    :param path: the path, with its variable parts in braces.
    :param result: the type of what is answered.
    :param parameters: the kind of each parameter that is not in the path.
    :param required: the parameters that must not be missing.
    """

    __slots__ = ("method", "parameters", "path", "required", "result", "route")

    def __init__(
        self,
        method: str,
        path: str,
        result: type[T],
        parameters: Mapping[str, Kind],
        *,
        required: tuple[str, ...] = (),
    ) -> None:
        self.method = method
        self.path = path
        self.result = result
        self.parameters = parameters
        self.required = required
        self.route = re.compile(re.sub(r"\\{\w+\\}", "[^/?]+", re.escape(path)))

    def __repr__(self) -> str:
        return f"<Operation {self.method} {self.path}>"

    def request(self, path: Mapping[str, str], parameters: Mapping[str, object]) -> Request:
        """
        Check what is asked and bring it into its form on the wire.

        :param path: the values of the variable parts of the path.
        :param parameters: the others; those that are ``None`` are left out.
        :raises LocalProtocolError: Asterisk would not take it for what is meant, or not survive it.
        """
        resource = _VARIABLE_PART.sub(lambda part: _segment(part[1], path), self.path)
        return self._request(resource, parameters)

    def _request(self, resource: str, parameters: Mapping[str, object]) -> Request:
        missing = [name for name in self.required if parameters.get(name) is None]
        if missing:
            # Several handlers use it unseen: 22.10 and 16.28 end in a segmentation fault.
            raise LocalProtocolError(f"{self.method} {self.path} needs {', '.join(missing)}")
        sent = {
            name: _converted(name, value, self.parameters.get(name) or _kind_of(value))
            for name, value in parameters.items()
            if value is not None
        }
        if self.method == "POST" and self.path == "/bridges":
            return _bridge_request(resource, sent)
        return Request(self.method, resource, _json(sent) if sent else None)


def request_for(
    operations: Iterable[Operation[Any]],
    method: str,
    resource: str,
    parameters: Mapping[str, object],
) -> Request:
    """
    Bring any request into its form; if it is a known operation, check it as such.

    :param operations: the known ones.
    :param resource: the path below ``/ari``, already percent-encoded.
    :raises LocalProtocolError: as for :meth:`Operation.request`.
    """
    path, _, query = resource.partition("?")
    if not _SENDABLE_PATH.fullmatch(path):
        # An empty part is another operation: GET /channels//variable lists the channels.
        raise LocalProtocolError(f"not a path that ARI takes for what is meant: {path!r}")
    if not _SENDABLE_QUERY.fullmatch(query):
        raise LocalProtocolError("a query must be percent-encoded")
    for operation in operations:
        if operation.method == method and operation.route.fullmatch(path):
            return operation._request(resource, parameters)
    return Operation(method, path, object, {})._request(resource, parameters)


def events_resource(applications: Iterable[str], *, subscribe_all: bool = False) -> str:
    """
    Return where the events of these applications come from, below ``/ari``.

    :raises LocalProtocolError: a name is empty or holds a comma, of which Asterisk makes others.
    """
    names = list(applications)
    if not names or any(not _SENDABLE_NAME.fullmatch(name) for name in names):
        raise LocalProtocolError(f"cannot listen to applications of these names: {names!r}")
    query = "app=" + quote(",".join(names), safe=",")
    return f"/events?{query}&subscribeAll=true" if subscribe_all else f"/events?{query}"


_VARIABLE_PART: Final = re.compile(r"\{(\w+)\}")
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SENDABLE_NAME: Final = re.compile(r"[^,\x00-\x1f\x7f]*[^,\x00-\x20\x7f][^,\x00-\x1f\x7f]*")
_SENDABLE_PATH: Final = re.compile(r"(/[A-Za-z0-9_.~!$&'()*,;=:@%-]+)+")
_SENDABLE_QUERY: Final = re.compile(r"[!-~]*")


def _segment(name: str, path: Mapping[str, str]) -> str:
    """Encode a variable part; a plus sign would be read as a blank, a slash as the next part."""
    value = path[name]
    if not isinstance(value, str) or not value:
        raise LocalProtocolError(f"{name} must be a text that is not empty, not {value!r}")
    if _CONTROL.search(value):
        raise LocalProtocolError(f"{name} holds a control character: {value!r}")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{name} is not a text: {value!r}") from None


def _bridge_request(resource: str, sent: Mapping[str, object]) -> Request:
    # 22.10 takes a whole JSON body of POST /bridges for the variables; a key "variables" in it is
    # refused, and the bridge made all the same. POST /bridges/{bridgeId} has no such fault.
    if "variables" in sent:
        raise LocalProtocolError("a bridge with variables must be made by create_with_id")
    query = urlencode({name: str(value) for name, value in sent.items()}, quote_via=quote)
    return Request("POST", f"{resource}?{query}" if query else resource, None)


def _json(sent: Mapping[str, object]) -> bytes:
    try:
        body = msgspec.json.encode(sent)
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"not to be put into JSON: {error}")
    if _ESCAPED_NUL.search(body):
        raise LocalProtocolError("Asterisk refuses JSON with a NUL character in it")
    return body


def _converted(name: str, value: object, kind: Kind) -> object:
    try:
        return kind.convert(value)
    except (TypeError, ValueError):
        raise LocalProtocolError(f"{name} must be {kind.wanted}, not {value!r}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: object) -> list[str]:
    # A null or a number in a list ends the process of 22.10 and 16.28, depending on the operation.
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise TypeError
    texts = [_text(element) for element in value]
    if not texts:
        raise ValueError
    return texts


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TypeError
    return value


def _fields(value: object) -> list[Mapping[str, str]]:
    # An element without both, or that is none at all, ends the process of 22.10 and 16.28.
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Mapping)):
        raise TypeError
    return [
        {"attribute": _text(_object(field).get("attribute")), "value": _text(field.get("value"))}
        for field in value
    ]


TEXT: Final = Kind("a text", _text)
TEXTS: Final = Kind("a text or several, none of them None", _texts)
INTEGER: Final = Kind("a whole number", _integer)
BOOLEAN: Final = Kind("True or False", _boolean)
OBJECT: Final = Kind("a mapping with texts as keys", _object)
FIELDS: Final = Kind("mappings with an attribute and a value", _fields)


def _kind_of(value: object) -> Kind:
    """Choose a kind by the value, for parameters that are newer than our tables."""
    for kind, python in (TEXT, str), (BOOLEAN, bool), (INTEGER, int), (OBJECT, Mapping):
        if isinstance(value, python):
            return kind
    return TEXTS


# ---- answers --------------------------------------------------------------------------------


class Response(NamedTuple):
    """What Asterisk answered."""

    status: int
    content_type: str
    body: bytes

    def result(self, request: Request, wanted: type[T]) -> T:
        """
        Decode the answer.

        :param wanted: what to decode into; ``bytes`` takes the body as it is.
        :raises LoginRefused: for 401.
        :raises RequestFailed: any other status that is no success, by its own class if it has one.
        :raises RemoteProtocolError: a success that cannot be read.
        """
        if not 200 <= self.status < 300:
            raise self.refusal(request)
        if wanted is bytes:
            return cast("T", self.body)
        if wanted is type(None) or (wanted is object and not self.body):
            return cast("T", None)
        if not self._is_json():
            raise RemoteProtocolError(
                f"{request.method} {request.resource}: an answer of type"
                f" {self.content_type or 'nothing'!r} where JSON was expected"
            )
        try:
            return msgspec.json.decode(self.body, type=wanted)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RemoteProtocolError(f"{request.method} {request.resource}: {error}")

    def message(self) -> str:
        """Return Asterisk's own words for what is wrong, or an empty text."""
        if not self._is_json():
            return ""
        try:
            said = msgspec.json.decode(self.body, type=_Said)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        return said.message or said.error

    def _is_json(self) -> bool:
        return self.content_type.partition(";")[0].strip().lower() == "application/json"

    def refusal(self, request: Request) -> LoginRefused | RequestFailed:
        path = request.resource.partition("?")[0]
        if self.status == 401:
            return LoginRefused(self.message() or "Asterisk asks for other credentials")
        kind = ServerFailed if self.status >= 500 else _REFUSALS.get(self.status, RequestFailed)
        return kind(request.method, path, self.status, self.message())


class _Said(msgspec.Struct):
    """The body of a refusal; out of memory, and much else, is told under the other key."""

    message: str = ""
    error: str = ""


_REFUSALS: Final[dict[int, type[RequestFailed]]] = {
    400: BadRequest,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: InvalidState,
    422: Unprocessable,
}


# ---- events ---------------------------------------------------------------------------------


class _Head(msgspec.Struct):
    """The one field that says whether anybody wants an event."""

    type: str


def event_type(payload: bytes) -> str:
    """
    Return an event's type without looking at the rest of it.

    :raises RemoteProtocolError: it is not a JSON object with a type.
    """
    try:
        return _head.decode(payload).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not an event: {error}")


def decode_event(payload: bytes) -> Event:
    """
    Decode an event into its struct; a plain :class:`txasterisk.ari.models.Event` if it has none.

    A field of another type than declared gives a plain event too; its ``as_sent()`` has it all.

    :raises RemoteProtocolError: it is not a JSON object with a type.
    """
    if len(payload) > MAX_EVENT:
        raise RemoteProtocolError(f"an event of more than {MAX_EVENT} bytes")
    decoder = _decoders.get(event_type(payload), _plain)
    try:
        event = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        event = _plain_event(payload)
    event.__dict__["_sent"] = payload
    return event


def objects_of(event: Event) -> list[tuple[str, str]]:
    """Return the kind and id of every channel, bridge, playback and recording of an event."""
    objects = []
    for field, kind, key in _objects_in(type(event)):
        value = getattr(event, field)
        if value is not None:
            objects.append((kind, getattr(value, key)))
    return objects


def _plain_event(payload: bytes) -> Event:
    try:
        return _plain.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not an event: {error}")


_head: Final = msgspec.json.Decoder(_Head)
_plain: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(Event)
_decoders: Final[dict[str, msgspec.json.Decoder[Event]]] = {
    name: msgspec.json.Decoder(event) for name, event in EVENTS.items()
}

_IDENTITIES: Final = {Channel: "id", Bridge: "id", Playback: "id", LiveRecording: "name"}
_known_objects: Final[dict[type[Event], tuple[tuple[str, str, str], ...]]] = {}


def _objects_in(event: type[Event]) -> tuple[tuple[str, str, str], ...]:
    """Return which fields of that kind of event hold objects, their kind and what names them."""
    if event not in _known_objects:
        _known_objects[event] = tuple(
            (field.name, model.__name__, key)
            for field in msgspec.structs.fields(event)
            for model, key in _IDENTITIES.items()
            if field.type in (model, model | None)
        )
    return _known_objects[event]
