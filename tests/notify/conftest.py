"""Servers that take notifications, for all tests of this folder."""

import boto3
import pytest
import sinks


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Make a certificate of this machine."""
    return sinks.make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(certificate, monkeypatch):
    """Let clients trust the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.fixture
def http():
    """Serve HTTP on loopback."""
    with sinks.http() as sink:
        yield sink


@pytest.fixture
def https(trusted):
    """Serve HTTP over TLS on loopback, with a certificate that clients trust."""
    with sinks.http(trusted) as sink:
        yield sink


@pytest.fixture
def aws(aws_environment, moto_url, monkeypatch):
    """Point the environment to moto; give a function that makes clients of it."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    made = []

    def client(service):
        made.append(boto3.client(service, region_name="us-east-1"))
        return made[-1]

    yield client
    for each in made:
        each.close()
