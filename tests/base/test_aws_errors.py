"""What people are told of a request that gets no answer of AWS's: from botocore's errors, and from servers that are none of AWS's."""

import inspect
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.exceptions
import pytest
from botocore.parsers import ResponseParserError

from rolewatch.base import aws
from rolewatch.base.errors import CannotDo
from rolewatch.cli import main

#: What only code that calls botocore wrongly meets, or a test.
OURS = {
    "AliasConflictParameterError", "ApiVersionNotFoundError", "BotoCoreError", "InvalidExpressionError", "MissingParametersError",
    "OperationNotPageableError", "RangeError", "StubAssertionError", "StubResponseError", "UnStubbedResponseError",
    "UnknownClientMethodError", "UnknownCredentialError", "UnknownKeyError", "UnknownParameterError", "UnknownServiceStyle",
    "UnknownSignatureVersionError", "UnseekableStreamError", "UnsupportedServiceProtocolsError",
    "UnsupportedSignatureVersionError", "ValidationError", "WaiterConfigError", "WaiterError",
}  # fmt: skip
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in to this network</title></head></html>"


def botocores():
    """List the classes of botocore's errors that a request may raise."""
    found = [
        each
        for _, each in inspect.getmembers(botocore.exceptions, inspect.isclass)
        if issubclass(each, botocore.exceptions.BotoCoreError)
    ]
    return [*found, ResponseParserError]


class Fields(dict):
    """Whatever the words of an error ask for."""

    def __missing__(self, name):
        return name


def made(cls):
    """Make an error as botocore would, with words in every gap."""
    error = cls.__new__(cls)
    Exception.__init__(error, getattr(cls, "fmt", "words").format_map(Fields()))
    return error


@pytest.mark.parametrize("cls", botocores(), ids=lambda cls: cls.__name__)
def test_each_error_of_botocore_has_a_remedy(cls):
    """Whatever a user can meet says what to do; what only a mistake of ours raises is named in the list above."""
    told = aws.cannot(made(cls), "cannot look")
    assert told.message.startswith("cannot look: ")
    assert (told.remedy is None) == (cls.__name__ in OURS)


def test_all_of_them_are_caught():
    """No error of botocore is left out of those that callers catch."""
    assert all(issubclass(cls, aws.errors()) for cls in botocores())


def test_a_class_below_a_known_one_is_told_as_that():
    """An error that a newer botocore adds below one that is known has its remedy."""

    class Newer(botocore.exceptions.ProxyConnectionError):
        pass

    assert "HTTPS_PROXY" in aws.cannot(made(Newer), "cannot look").remedy
    assert aws.is_passing(made(Newer))


class Stranger:
    """A server that is none of AWS's; `status`, `type` and `body` are what it answers."""

    def __init__(self):
        self.status, self.type, self.body, self.seen = 200, "text/html", PAGE, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self):
                outer.seen += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response_only(outer.status)
                self.send_header("Content-Type", outer.type)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            do_GET = do_POST = do_PUT = _any  # noqa: N815 - the names that http.server calls

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Say nothing about a client that speaks TLS."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self):
        """Stop it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def stranger(aws_environment, monkeypatch):
    """Start such a server where AWS would be."""
    del aws_environment
    started = Stranger()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{started.host}")
    yield started
    started.close()


CALLS = {
    "query": ("sts", "get_caller_identity", {}),
    "json": ("cloudtrail", "describe_trails", {}),
    "rest-json": ("lambda", "list_functions", {}),
    "rest-xml": ("s3", "list_buckets", {}),
    "query, with XML in the page": ("sns", "list_topics", {}),
}


def asked(service, method, arguments):
    """Make a call once, and give what is told of its error."""
    client = aws.client(service, retry=False)
    try:
        with pytest.raises(aws.errors()) as error:
            getattr(client, method)(**arguments)
    finally:
        client.close()
    return error.value, aws.cannot(error.value, "cannot look")


@pytest.mark.parametrize("status", [200, 302, 403, 407, 511])
@pytest.mark.parametrize("protocol", CALLS)
def test_a_page_is_no_answer(stranger, protocol, status):
    """A page of a proxy or a captive portal, whatever its status, is told as such and is no answer without trails."""
    stranger.status = status
    error, told = asked(*CALLS[protocol])
    if (
        status >= 500 and "json" in protocol
    ):  # AWS's own front ends answer so as well, and botocore tries again
        assert aws.is_passing(error)
        return
    assert f"with status {status} is not AWS: '<!DOCTYPE html>" in told.message
    assert "\n" not in told.message
    assert "sign-in page" in told.remedy
    assert aws.is_passing(error)


@pytest.mark.parametrize("body", [b"OK", b"\x00\xff", b"<a/>"])
def test_what_is_no_json_is_no_answer(stranger, body):
    """An answer that cannot be read is not taken for an empty one."""
    stranger.type, stranger.body = "text/plain", body
    _, told = asked(*CALLS["json"])
    assert "DescribeTrails with status 200 is not AWS" in told.message


def test_xml_that_breaks_off_is_no_answer(stranger):
    """Botocore's own error for what it cannot parse is caught, in one line."""
    stranger.type, stranger.body = "text/xml", b"<GetCallerIdentityResponse><GetCall"
    _, told = asked(*CALLS["query"])
    assert "invalid XML received" in told.message
    assert "\n" not in told.message
    assert "proxy" in told.remedy


def test_an_object_may_be_a_page(stranger):
    """What is stored in a bucket is the reader's own: a page that is an object is given as it is."""
    client = aws.client("s3", retry=False)
    assert client.get_object(Bucket="b", Key="index.html")["Body"].read() == PAGE
    stranger.status = 403
    with pytest.raises(ResponseParserError, match="GetObject with status 403 is not AWS"):
        client.get_object(Bucket="b", Key="index.html")
    client.close()


def test_a_command_tells_it_in_one_sentence(stranger, capsys):
    """`rolewatch aws` ends with 4 and what to do, not with an internal error."""
    assert main(["aws", "doctor"]) == 4
    err = capsys.readouterr().err
    assert "what answered GetCallerIdentity with status 200 is not AWS" in err
    assert "sign-in page of this network" in err
    assert "internal error" not in err
    assert stranger.seen == 1


def closed_port():
    """Give a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_nobody_is_there(aws_environment, monkeypatch):
    """An endpoint that does not answer is a matter of the network or of the endpoint's name."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
    error, told = asked(*CALLS["query"])
    assert type(error).__name__ == "EndpointConnectionError"
    assert "AWS_ENDPOINT_URL" in told.remedy


def test_no_proxy_is_there(aws_environment, monkeypatch):
    """A proxy that does not answer is named as what it is."""
    del aws_environment
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    error, told = asked(*CALLS["json"])
    assert type(error).__name__ == "ProxyConnectionError"
    assert told.remedy.startswith("check HTTPS_PROXY")


def test_there_is_no_tls(stranger, monkeypatch):
    """A server that speaks no TLS, or shows a certificate of its own, is a matter of certificates."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{stranger.host}")
    error, told = asked(*CALLS["query"])
    assert type(error).__name__ == "SSLError"
    assert "AWS_CA_BUNDLE" in told.remedy


def test_a_connection_that_breaks(aws_environment, monkeypatch):
    """A connection that is closed without an answer is passing, and a matter of the network."""
    del aws_environment
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            taken, _ = server.accept()
            with taken:
                taken.recv(65536)

        thread = threading.Thread(target=hang_up)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        error, told = asked(*CALLS["query"])
        thread.join()
    assert type(error).__name__ == "ConnectionClosedError"
    assert (aws.is_passing(error), "check the network" in told.remedy) == (True, True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "nonsense", "check AWS_ENDPOINT_URL"),
        ("AWS_REGION", "not a region", "name a Region as in eu-west-1"),
        ("AWS_RETRY_MODE", "sometimes", None),
        ("AWS_CONFIG_FILE", "broken", "mend the file"),
    ],
)
@pytest.mark.usefixtures("aws_environment")
def test_settings_that_are_none(monkeypatch, tmp_path, name, value, said):
    """What is wrong in the environment is told with what to mend, before anything is asked; what is overruled does not matter."""
    if name == "AWS_CONFIG_FILE":
        file = tmp_path / value
        file.write_text("[default\nregion = x")
        value = str(file)
    monkeypatch.setenv(name, value)
    if said is None:
        aws.client("sqs").close()
        return
    with pytest.raises(CannotDo) as told:
        aws.client("sqs")
    assert said in told.value.remedy
