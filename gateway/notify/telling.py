"""One run's message: what has changed since the last one goes to the robot, and is remembered."""

from __future__ import annotations

import time
from pathlib import Path

from gateway.notify import memory, message, robot
from gateway.notify.changes import Seen, changes
from gateway.notify.robot import Robot, RobotError

# WeCom takes 20 messages a minute from a robot, https://developer.work.weixin.qq.com/document/path/91770
A_MINUTE = 20


def tell(to: Robot, path: Path, command: str, seen: Seen) -> int:
    """Sends at most one message; none where nothing has changed since the last run of the command.

    `command` is what a person types to see all of it. Runs are told apart by it, by the current folder, from which the
    command is typed, and by the robot. Returns how many changes were told. Raises RobotError or
    memory.MemoryFileError; then the next run tells the same.
    """
    run = f"{to.name}: {command} in {Path.cwd()}"
    with memory.opened(path) as remembered:
        changed = changes(remembered.told(run), seen)
        if changed:
            now = time.time()
            remembered.sent = [one for one in remembered.sent if 0 <= now - one < 60]
            if len(remembered.sent) >= A_MINUTE:
                raise RobotError(f"{to.name}: {A_MINUTE} messages went out this minute; the next run tells the rest")
            robot.send(to, message.message(changed, command))
            remembered.sent.append(now)
        remembered.tell(run, changed.open.values())
    return len(changed.new) + len(changed.ended)
