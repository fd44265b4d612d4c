"""Certificates as gRPC takes them: a server's, taken anew when renewed, and those of a channel."""

import grpc

from holdfast.chassis.tls import Certificates, TlsMaterial


def server_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Make a port's credentials: every handshake gets what the files hold then.

    With an authority among them, only callers with a certificate of it get through.
    """
    taken = certificates.current()

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal taken
        newest = certificates.current()
        if newest is taken:
            return None  # gRPC keeps what it has
        taken = newest
        return _configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(taken),
        renewed,  # type: ignore[arg-type] # None is for "as before", its stubs don't know
        require_client_authentication=taken.ca is not None,
    )


def channel_credentials(material: TlsMaterial) -> grpc.ChannelCredentials:
    """Make a channel's credentials; they are its own for as long as it lives."""
    return grpc.ssl_channel_credentials(
        root_certificates=material.ca,
        private_key=material.key,
        certificate_chain=material.certificate,
    )


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    assert material.key is not None, "checked when it was read"
    assert material.certificate is not None, "a server has a certificate"
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.certificate)], root_certificates=material.ca
    )
