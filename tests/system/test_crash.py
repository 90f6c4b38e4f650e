"""kill -9 under load: what got a 250 is delivered."""

import collections
import random
import smtplib
import threading

KILLS = 20


class Senders:
    """Clients that send without pause and remember what was acknowledged."""

    def __init__(self, relay, count=4):
        self.relay = relay
        self.acknowledged = set()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,), daemon=True) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, n):
        i = 0
        while not self.stopping.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.relay.port, timeout=5) as client:
                    while not self.stopping.is_set():
                        i += 1
                        name = f"{n}-{i}"
                        client.sendmail("me@out.test", ["you@a.test"], f"Subject: {name}\r\n\r\nx\r\n")
                        with self.lock:
                            self.acknowledged.add(name)
            except (OSError, smtplib.SMTPException):
                self.stopping.wait(0.01)

    def count(self):
        with self.lock:
            return len(self.acknowledged)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def names_of(sink):
    return collections.Counter(message["content"].split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                               for message in sink.messages)


def test_kill_under_load_loses_nothing(world, capsys):
    from world import wait_until

    sink = world.host("a.test")
    relay = world.relay(destination="schedule 1s; probe 200ms; lifetime 1h; delay_notice 0;")
    chance = random.Random(447)
    senders = Senders(relay)
    for _ in range(KILLS):
        target = senders.count() + chance.randrange(5, 60)
        wait_until(lambda t=target: senders.count() >= t, "more mail to be acknowledged")
        relay.kill()
        relay.start()
    senders.stop()
    relay.wait_empty()
    delivered = names_of(sink)
    lost = senders.acknowledged - set(delivered)
    twice = sum(1 for count in delivered.values() if count > 1)
    with capsys.disabled():
        print(f"\n  {KILLS} kills, {len(senders.acknowledged)} acknowledged, {len(lost)} lost, {twice} delivered twice")
    assert not lost
