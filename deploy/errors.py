"""What can stop the stack or a command, each with the exit status of the command.

Exception
├── stores.StoreError       a store that cannot be started                        2
└── StackError              anything else that the reader can set right           2
    ├── ChildDied           one of our processes ended; the rest is stopped       1
    └── LotteryMismatch     a draw was not what had been promised                 1
"""


class StackError(Exception):
    """What cannot be done as asked; the message says what to do, in one line."""

    exit_status = 2


class ChildDied(StackError):
    """A process of the stack ended on its own. ``tail`` holds the last lines of its log."""

    exit_status = 1

    def __init__(self, name: str, status: int | None, log: str, tail: str) -> None:
        super().__init__(f"{name} ended with status {status}; everything else is stopped (log: {log})")
        self.name = name
        self.tail = tail


class LotteryMismatch(StackError):
    """What is published of a draw contradicts what was published before."""

    exit_status = 1
