# SPDX-License-Identifier: MIT
"""A bot that never forgets a message; it knows nothing of the profiler that watches it."""

import logging
import time


class Message:
    def __init__(self, number):
        self.content = "message %d" % number
        self.mentions = []


logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
log = logging.getLogger("bot")
seen = []
log.info("running for 12 seconds")
for second in range(12):
    for number in range(500):
        seen.append(Message(number))
    time.sleep(1)
log.info("holding %d messages", len(seen))
