"""Calls to addresses that people enter: to hosts on the public internet, encrypted, once, and never for long.

The host is resolved first, every address that it has must be public, and the connection goes to the very address that
was judged, so that a name cannot lead elsewhere a moment later. Nothing is followed, no proxy of the environment is
used. Hosts of the house are named by whoever may edit the site's configuration, in ``retention_robot_hosts``: a list of
``host`` or ``host:port``. They may have private addresses and plain HTTP.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import certifi
import frappe
from frappe import _

CONFIG = "retention_robot_hosts"
SECONDS = 10  # for finding the host, and again for the whole call
MOST_BYTES = 64 * 1024
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# relays to elsewhere, examples, and names of machines instead of places; not all versions of Python know them
NOT_PLACES = tuple(
	map(
		ipaddress.ip_network,
		("192.88.99.0/24", "2001::/23", "3fff::/20", "5f00::/16", "fec0::/10"),
	)
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutboundError(Exception):
	"""The call was refused or failed. Says why in the app's own words, which hold nothing of address and answer."""


@dataclass(frozen=True)
class Target:
	"""Where a call goes. ``path`` may hold secrets and is left out of its representation, as is the address itself."""

	host: str
	port: int
	tls: bool
	in_house: bool
	path: str = field(repr=False)


def post_json(url: str, payload: dict[str, Any]) -> Any:
	"""Post JSON and return the JSON of the answer. Raises OutboundError for everything that can go wrong."""
	target = get_target(url)
	status, body = _send(target, find_addresses(target), json.dumps(payload).encode())
	if 300 <= status < 400:
		raise OutboundError(_("it answers with another address, which is not followed"))
	if not 200 <= status < 300:
		raise OutboundError(_("it answers with the HTTP status {0}").format(int(status)))
	try:
		return json.loads(body)
	except (ValueError, RecursionError):
		pass
	raise OutboundError(_("its answer cannot be read"))


def get_target(url: str) -> Target:
	"""The parts of an address that may be called. Raises OutboundError for any other; asks no name server."""
	if not url.isascii() or any(char <= " " or char == "\x7f" for char in url):
		raise OutboundError(_("the address has characters that addresses have not"))
	parts, port = _split(url)
	host = (parts.hostname or "").rstrip(".")
	if not host or parts.username is not None or parts.password is not None:
		raise OutboundError(_("the address must be https:// and a host, without a user"))
	port = port or {"https": 443, "http": 80}.get(parts.scheme, 0)
	in_house = {host, f"{host}:{port}"} & get_own_hosts()
	if parts.scheme != "https" and not (in_house and parts.scheme == "http"):
		raise OutboundError(_("the address must begin with https://"))
	if not in_house and not may_be_public(host):
		raise OutboundError(get_not_public())
	path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
	return Target(host, port, parts.scheme == "https", bool(in_house), path)


def _split(url: str) -> tuple[Any, int | None]:
	try:
		parts = urlsplit(url)
		return parts, parts.port
	except ValueError:
		pass
	raise OutboundError(_("the address must be https:// and a host, without a user"))


def get_own_hosts() -> set[str]:
	"""Hosts of the house, from the site's configuration."""
	given = frappe.conf.get(CONFIG) or []
	return {str(host).strip().lower() for host in ([given] if isinstance(given, str) else given)}


def get_not_public() -> str:
	text = _(
		"the host is not on the public internet; {0} in the site's configuration names those of the house"
	)
	return text.format(CONFIG)


def may_be_public(host: str) -> bool:
	"""Whether a host as it is written can be on the public internet: a name with a dot, or a public address."""
	try:
		return is_public(ipaddress.ip_address(host))
	except ValueError:
		pass
	last = host.rpartition(".")[2]
	# 2130706433, 0x7f.1 and 127.1 are addresses as well, to whoever asks the system
	return (
		"." in host
		and not last.isdigit()
		and not last.startswith("0x")
		and last not in ("localhost", "local")
	)


def is_public(address: Address) -> bool:
	"""Whether an address, and the one that it stands for, belongs to the public internet."""
	if isinstance(address, ipaddress.IPv6Address):
		inner = address.ipv4_mapped
		if address in NAT64:
			inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
		if inner:
			return is_public(inner)
		if address.teredo or address.sixtofour:
			return False
	if any(address in network for network in NOT_PLACES):
		return False
	return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def find_addresses(target: Target) -> list[str]:
	"""The addresses of the host. Raises OutboundError for a host that has none, or one that is not public."""
	found: list[str] = []
	asking = threading.Thread(target=_ask, args=(target.host, target.port, found), daemon=True)
	asking.start()
	asking.join(SECONDS)
	addresses = list(dict.fromkeys(found))
	if not addresses:
		raise OutboundError(_("the host is not known"))
	public = (is_public(ipaddress.ip_address(address.partition("%")[0])) for address in addresses)
	if not target.in_house and not all(public):
		raise OutboundError(get_not_public())
	return addresses


def _ask(host: str, port: int, found: list[str]) -> None:
	"""In a thread of its own, because the system's resolver takes no time limit."""
	try:
		found.extend([row[4][0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
	except (OSError, UnicodeError):
		return


class Connection(http.client.HTTPConnection):
	"""A connection to addresses that were judged, whatever the host's name means by now."""

	def __init__(self, target: Target, addresses: Iterable[str]) -> None:
		super().__init__(target.host, target.port, timeout=SECONDS)
		self.target, self.addresses, self.ends = target, list(addresses), time.monotonic() + SECONDS
		self.wire: socket.socket | None = None
		self.was_cut = False

	def connect(self) -> None:
		self.sock = self.wire = self._reach()
		if self.target.tls:
			wrapped = get_tls().wrap_socket(
				self.sock, server_hostname=self.target.host, do_handshake_on_connect=False
			)
			self.sock = self.wire = wrapped
			wrapped.do_handshake()

	def _reach(self) -> socket.socket:
		"""The first address that answers."""
		problem: OSError = OSError()
		for address in self.addresses:
			left = self.ends - time.monotonic()
			if left <= 0:
				raise TimeoutError
			try:
				return socket.create_connection((address, self.target.port), left)
			except OSError as error:
				problem = error
		raise problem

	def cut(self) -> None:
		"""End it from outside when its time is over: whoever waits for the next byte sees the end."""
		self.was_cut = True
		if self.wire:
			with suppress(OSError):
				socket.socket.shutdown(self.wire, socket.SHUT_RDWR)


def get_tls() -> ssl.SSLContext:
	"""The authorities of the system and those that requests trusts."""
	context = ssl.create_default_context()
	context.load_verify_locations(certifi.where())
	return context


def _send(target: Target, addresses: list[str], body: bytes) -> tuple[int, bytes]:
	"""Status and body of the answer. Raises OutboundError."""
	connection = Connection(target, addresses)
	clock = threading.Timer(SECONDS, connection.cut)
	clock.daemon = True
	clock.start()
	try:
		connection.request("POST", target.path, body, {"Content-Type": "application/json; charset=utf-8"})
		answer = connection.getresponse()
		content = answer.read(MOST_BYTES + 1)
		problem = _("its answer is too long") if len(content) > MOST_BYTES else ""
	except ssl.SSLCertVerificationError:
		problem = _("its certificate is not valid")
	except (OSError, http.client.HTTPException) as error:
		problem = _("it cannot be reached, or does not speak as it should ({0})").format(type(error).__name__)
	finally:
		clock.cancel()
		connection.close()
	if connection.was_cut or time.monotonic() >= connection.ends:
		problem = _("it does not answer within {0} seconds").format(SECONDS)
	if problem:
		raise OutboundError(problem)
	return answer.status, content
