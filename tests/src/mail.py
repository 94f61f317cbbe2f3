"""A mail server that writes down what it takes, one JSON object a line."""

import json
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

(mails, certificate, key, plain, starttls, tls, login, password, refused) = sys.argv[1:]


class Handler:
    def __init__(self, way):
        self.way = way

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "way": self.way,
            "encrypted": session.ssl is not None or self.way == "tls",
            "login": bool(session.authenticated),
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode(),
        }
        with open(mails, "a") as file:
            file.write(json.dumps(mail) + "\n")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login.decode(), data.password.decode()) == (login, password)
    return AuthResult(success=is_right, handled=is_right)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
address = "127.0.0.1"
servers = [
    Controller(Handler("plain"), address, int(plain)),
    Controller(
        Handler("starttls"),
        address,
        int(starttls),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    ),
    Controller(Handler("tls"), address, int(tls), ssl_context=context),
]
for server in servers:
    server.start()
open(mails, "a").close()
signal.pause()
