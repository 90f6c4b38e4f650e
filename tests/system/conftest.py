import pytest

from world import Dns, Loop, Relay, Sink, free_address


class World:
    """DNS, hosts and relays of one test; all are stopped at its end."""

    def __init__(self, folder):
        self.folder = folder
        self.loop = Loop()
        self.dns = Dns(self.loop)
        self.port = 0
        self.sinks = []
        self.relays = []

    def host(self, domain, **options):
        """A mail server for `domain`; all hosts share one port number on addresses of their own."""
        address = free_address(len(self.sinks) + 1)
        sink = Sink(self.loop, address, self.port, **options)
        self.port = sink.port
        self.sinks.append(sink)
        self.dns.mail(domain, address)
        return sink

    def relay(self, **options):
        relay = Relay(self.folder / f"relay{len(self.relays)}", self.dns, self.port or 25, **options)
        self.relays.append(relay)
        return relay

    def end(self):
        for relay in self.relays:
            if relay.process.poll() is None:
                relay.stop()
        for sink in self.sinks:
            sink.stop()
        self.loop.stop()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.end()
