"""A head-end in some sixty lines: DeviceCapability, Time, and an EndDevice with a DER for each certificate.

python head_end.py PORT CERT KEY ROOT
"""

import hashlib
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NS = 'xmlns="urn:ieee:std:2030.5:ns"'
LFDIS: list[str] = []  # in the order of arrival: /edev/1 is the first
PUT: dict[str, bytes] = {}  # what DERs have told of themselves, by path


def sfdi(lfdi: str) -> int:
    number = int(lfdi[:9], 16)
    return number * 10 + -sum(map(int, str(number))) % 10


def documents(lfdi: str) -> dict[str, str]:
    edev = f"/edev/{LFDIS.index(lfdi) + 1}"
    names = {"dera": "Availability", "dercap": "Capability", "derg": "Settings", "ders": "Status"}
    links = "".join(f'<DER{name}Link href="{edev}/der/1/{path}"/>' for path, name in names.items())
    der = f'<DER {NS} href="{edev}/der/1">{links}</DER>'
    device = (
        f'<EndDevice {NS} href="{edev}"><DERListLink href="{edev}/der" all="1"/><lFDI>{lfdi}</lFDI>'
        f"<sFDI>{sfdi(lfdi)}</sFDI><changedTime>0</changedTime></EndDevice>"
    )
    return {
        "/dcap": f'<DeviceCapability {NS} href="/dcap" pollRate="60"><TimeLink href="/tm"/>'
        '<EndDeviceListLink href="/edev" all="1"/></DeviceCapability>',
        "/tm": f'<Time {NS} href="/tm"><currentTime>{time.time():.0f}</currentTime><dstEndTime>0</dstEndTime>'
        "<dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>7</quality><tzOffset>0</tzOffset></Time>",
        "/edev": f'<EndDeviceList {NS} href="/edev" all="1" results="1">{device}</EndDeviceList>',
        edev: device,
        f"{edev}/der": f'<DERList {NS} href="{edev}/der" all="1" results="1">{der}</DERList>',
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        certificate = self.connection.getpeercert(binary_form=True)
        lfdi = hashlib.sha256(certificate).hexdigest()[:40].upper()
        if lfdi not in LFDIS:
            LFDIS.append(lfdi)
        path = self.path.partition("?")[0]
        body = PUT.get(path) or documents(lfdi).get(path, "").encode()
        self.answer(200 if body else 404, body)

    def do_PUT(self) -> None:
        PUT[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self.answer(204)

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("content-type", "application/sep+xml")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    context.load_verify_locations(sys.argv[4])
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
