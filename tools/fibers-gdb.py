"""gdb commands for fibers: `fibers` lists those of the current thread's loop, `fiber-backtrace FIBER`
shows where a parked one waits. For the default build (Boost.Context) on x86-64.

    gdb -p $(pidof outlast) -x tools/fibers-gdb.py
"""

import gdb

# What jump_fcontext leaves on the stack of the context that it leaves, in bytes from its handle.
SAVED = {"r12": 0x08, "r13": 0x10, "r14": 0x18, "r15": 0x20, "rbx": 0x28, "rbp": 0x30, "pc": 0x38}
SP_AFTER = 0x40


def fibers_of_thread():
    fibers = gdb.parse_and_eval("((struct loop *)'loop.c'::current)->fibers.all")
    head, node = fibers.address, fibers["next"]
    fiber_type = gdb.lookup_type("struct fiber")
    offset = next(field.bitpos // 8 for field in fiber_type.fields() if field.name == "all")
    while node != head:
        yield (node.cast(gdb.lookup_type("char").pointer()) - offset).cast(fiber_type.pointer())
        node = node["next"]


def state_of(fiber):
    return "parked" if fiber["is_parked"] else "running or runnable"


class Fibers(gdb.Command):
    """List the fibers of the current thread's loop."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for fiber in fibers_of_thread():
            print(f"{int(fiber):#x}  {fiber['name'].string():20} {state_of(fiber)}")


class FiberBacktrace(gdb.Command):
    """Show where a parked fiber waits: fiber-backtrace ADDRESS."""

    def __init__(self):
        super().__init__("fiber-backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        fiber = gdb.parse_and_eval(f"(struct fiber *)({argument})")
        if not fiber["is_parked"]:
            raise gdb.GdbError("it is not parked; it is among the thread's own frames")
        handle = int(fiber["context"]["own"])
        long = gdb.lookup_type("long")
        values = {name: int(gdb.Value(handle + at).cast(long.pointer()).dereference()) for name, at in SAVED.items()}
        values["sp"] = handle + SP_AFTER
        gdb.execute("select-frame 0")
        before = {name: int(gdb.parse_and_eval(f"(long)${name}")) for name in values}
        try:
            for name, value in values.items():
                gdb.execute(f"set ${name} = {value}", to_string=True)
            gdb.execute("backtrace")
        finally:
            for name, value in before.items():
                gdb.execute(f"set ${name} = {value}", to_string=True)


Fibers()
FiberBacktrace()
