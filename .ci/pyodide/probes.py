"""The probes: what they find on Pyodide and not on CPython, or in another way, goes into the table of differences.

This file runs as it is on both. It prints a line of JSON for each probe: `[number, kind, name, outcome]`. An outcome is
`["ok", value]` or `["raises", error, arguments, text]`. Whoever runs it sets `FIRST`, the number of the first probe, to
go on behind one that ended the interpreter.
"""

import importlib
import inspect
import json
import sys
import types
import warnings

warnings.simplefilter("ignore")
FIRST = globals().get("FIRST", int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 0)

# -- modules -----------------------------------------------------------------------------------------------------------

SUBMODULES = """
asyncio.subprocess asyncio.unix_events collections.abc compression.bz2 compression.gzip compression.lzma compression.zlib
compression.zstd concurrent.futures concurrent.futures.interpreter concurrent.futures.process concurrent.futures.thread
concurrent.interpreters ctypes.util ctypes.wintypes curses.ascii curses.panel curses.textpad dbm.dumb dbm.gnu dbm.ndbm
dbm.sqlite3 distutils.core email.mime.text encodings.idna ensurepip html.parser http.client http.cookiejar http.cookies
http.server idlelib.idle importlib.metadata importlib.resources json.tool lib2to3.pgen2 logging.config logging.handlers
multiprocessing.connection multiprocessing.dummy multiprocessing.managers multiprocessing.pool
multiprocessing.shared_memory multiprocessing.sharedctypes multiprocessing.synchronize os.path pathlib.types
pydoc_data.topics sqlite3.dbapi2 string.templatelib sysconfig test.support tkinter.ttk turtledemo unittest.mock
urllib.error urllib.parse urllib.request urllib.response urllib.robotparser venv wsgiref.simple_server xml.dom.minidom
xml.etree.ElementTree xml.parsers.expat xml.sax xmlrpc.client xmlrpc.server zoneinfo
""".split()
NEVER = {"antigravity", "this", "__main__", "idlelib", "test", "turtledemo", "lib2to3"}
"""Modules that do something when they are imported, or whose parts nobody deploys."""
WINDOWS = {"msvcrt", "winreg", "winsound", "nt", "_winapi", "msilib", "_msi", "_overlapped", "_scproxy", "_wmi"}


def modules():
    names = {name for name in sys.stdlib_module_names if not name.startswith("_")} - {"antigravity", "this"}
    return sorted(names | set(SUBMODULES) | {"_thread", "_hashlib", "_multiprocessing", "_pydecimal", "_posixshmem"})


def import_one(name):
    importlib.import_module(name)


# -- names -------------------------------------------------------------------------------------------------------------


def names_of(module):
    """The public names of a module, and of its classes as `Class.name`."""
    found = {}
    held = importlib.import_module(module)
    for name in dir(held):
        if name.startswith("_") and name != "_exit":
            continue
        value = getattr(held, name, None)
        if isinstance(value, types.ModuleType):
            continue
        found[name] = True
        if inspect.isclass(value) and value.__module__.partition(".")[0] in (module.partition(".")[0], "posix", "_socket"):
            found.update({f"{name}.{inner}": True for inner in dir(value) if not inner.startswith("_")})
    return sorted(found)


# -- calls -------------------------------------------------------------------------------------------------------------

CALLS = {}
"""What is called, and a piece of code that calls it. `r` is what it gave, where that can be compared."""


def call(target, code):
    CALLS.setdefault(target, []).append(code)


def calls(prefix, text):
    """Lines of `name: code`."""
    for line in text.strip().splitlines():
        name, _, code = line.strip().partition(": ")
        call(f"{prefix}.{name}", f"import {prefix}; {code}")


calls("threading", """
Thread.start: threading.Thread(target=print, args=("",)).start()
Timer.start: threading.Timer(0.01, print).start()
Barrier.wait: threading.Barrier(2).wait(0.01)
stack_size: r = threading.stack_size(65536)
get_native_id: r = threading.get_native_id() > 0
""")
calls("_thread", """
start_new_thread: _thread.start_new_thread(len, ("",))
start_new: _thread.start_new(len, ("",))
start_joinable_thread: _thread.start_joinable_thread(len)
interrupt_main: import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); _thread.interrupt_main()
""")
calls("concurrent.futures", """
ThreadPoolExecutor.submit: concurrent.futures.ThreadPoolExecutor(1).submit(len, "")
ThreadPoolExecutor.map: list(concurrent.futures.ThreadPoolExecutor(1).map(len, [""]))
ProcessPoolExecutor: concurrent.futures.ProcessPoolExecutor(1)
ProcessPoolExecutor.submit: concurrent.futures.ProcessPoolExecutor(1).submit(len, "")
InterpreterPoolExecutor.submit: concurrent.futures.InterpreterPoolExecutor(1).submit(len, "")
""")
calls("subprocess", """
Popen: subprocess.Popen(["true"]).wait()
run: subprocess.run(["true"])
call: subprocess.call(["true"])
check_call: subprocess.check_call(["true"])
check_output: subprocess.check_output(["true"])
getoutput: subprocess.getoutput("true")
getstatusoutput: subprocess.getstatusoutput("true")
""")
calls("multiprocessing", """
Process.start: multiprocessing.Process(target=len, args=("",)).start()
Pool: multiprocessing.Pool(1).terminate()
Queue: multiprocessing.Queue()
SimpleQueue: multiprocessing.SimpleQueue()
JoinableQueue: multiprocessing.JoinableQueue()
Pipe: multiprocessing.Pipe()
Lock: multiprocessing.Lock()
RLock: multiprocessing.RLock()
Semaphore: multiprocessing.Semaphore()
BoundedSemaphore: multiprocessing.BoundedSemaphore()
Condition: multiprocessing.Condition()
Event: multiprocessing.Event()
Barrier: multiprocessing.Barrier(1)
Value: multiprocessing.Value("i", 1)
Array: multiprocessing.Array("i", 1)
RawValue: multiprocessing.RawValue("i", 1)
Manager: multiprocessing.Manager()
cpu_count: r = multiprocessing.cpu_count() > 1
active_children: r = multiprocessing.active_children()
get_context: multiprocessing.get_context("spawn")
set_start_method: multiprocessing.set_start_method("spawn", force=True)
""")
call("multiprocessing.dummy.Pool", "import multiprocessing.dummy; multiprocessing.dummy.Pool(1)")
call("multiprocessing.pool.ThreadPool", "import multiprocessing.pool; multiprocessing.pool.ThreadPool(1)")
call("multiprocessing.shared_memory.SharedMemory", "from multiprocessing import shared_memory as s; s.SharedMemory(create=True, size=8).unlink()")
call("multiprocessing.shared_memory.ShareableList", "from multiprocessing import shared_memory as s; s.ShareableList([1])")
call("multiprocessing.connection.Listener", "from multiprocessing import connection as c; c.Listener()")
call("multiprocessing.connection.Client", "from multiprocessing import connection as c\ntry: c.Client(('127.0.0.1', 1))\nexcept ConnectionRefusedError: pass")
calls("os", """
fork: os.fork() or os._exit(0)
forkpty: os.forkpty()[0] or os._exit(0)
system: r = os.system("exit 3")
popen: r = os.popen("echo 1").read()
execv: os.execv("/bin/true", ["true"])
execve: os.execve("/bin/true", ["true"], {})
execl: os.execl("/bin/true", "true")
execvp: os.execvp("true", ["true"])
spawnl: os.spawnl(os.P_WAIT, "/bin/true", "true")
spawnv: os.spawnv(os.P_WAIT, "/bin/true", ["true"])
spawnvp: os.spawnvp(os.P_WAIT, "true", ["true"])
posix_spawn: os.posix_spawn("/bin/true", ["true"], {})
posix_spawnp: os.posix_spawnp("true", ["true"], {})
wait: import signal\\ntry: os.wait()\\nexcept ChildProcessError: pass
waitpid: import signal\\ntry: os.waitpid(-1, 0)\\nexcept ChildProcessError: pass
kill: os.kill(os.getpid(), 0)
killpg: os.killpg(os.getpgrp(), 0)
nice: os.nice(0)
getpriority: os.getpriority(os.PRIO_PROCESS, 0)
setpriority: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0))
sched_getaffinity: os.sched_getaffinity(0)
sched_yield: os.sched_yield()
cpu_count: r = os.cpu_count() is None or os.cpu_count() > 1
process_cpu_count: r = os.process_cpu_count() is None or os.process_cpu_count() > 1
getloadavg: r = os.getloadavg() != (0.0, 0.0, 0.0)
getpgid: os.getpgid(0)
getsid: os.getsid(0)
setsid: os.fork() or (os.setsid(), os._exit(0))
getgroups: os.getgroups()
getlogin: r = isinstance(os.getlogin(), str)
getresuid: os.getresuid()
setuid: os.setuid(os.getuid())
setgid: os.setgid(os.getgid())
times: os.times()
uname: r = os.uname().sysname
umask: os.umask(os.umask(0o22))
mkfifo: os.mkfifo("fifo")
mknod: os.mknod("node")
link: open("a", "w").close(); os.link("a", "b")
symlink: os.symlink("a", "c"); r = os.readlink("c")
chown: open("a", "w").close(); os.chown("a", -1, -1)
lchown: open("a", "w").close(); os.lchown("a", -1, -1)
chmod: open("a", "w").close(); os.chmod("a", 0o600); r = oct(os.stat("a").st_mode)
chroot: hasattr(os, "chroot") or os.chroot
statvfs: os.statvfs(".")
sync: os.sync()
fsync: f = open("a", "w"); os.fsync(f.fileno())
fdatasync: f = open("a", "w"); os.fdatasync(f.fileno())
pipe: a, b = os.pipe(); os.write(b, b"x"); r = os.read(a, 1).decode()
pipe2: os.pipe2(0)
dup: f = open("a", "w"); os.dup(f.fileno())
dup2: f = open("a", "w"); os.dup2(f.fileno(), 60)
openpty: os.openpty()
sendfile: open("a", "w").write("xy"); f = open("a", "rb"); g = open("b", "wb"); r = os.sendfile(g.fileno(), f.fileno(), 0, 2)
splice: os.splice
copy_file_range: open("a", "w").write("xy"); f = open("a", "rb"); g = open("b", "wb"); r = os.copy_file_range(f.fileno(), g.fileno(), 2)
lockf: f = open("a", "w"); os.lockf(f.fileno(), os.F_LOCK, 0)
posix_fallocate: f = open("a", "w"); os.posix_fallocate(f.fileno(), 0, 5)
posix_fadvise: f = open("a", "w"); os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_NORMAL)
truncate: open("a", "w").write("xy"); os.truncate("a", 1); r = open("a").read()
getxattr: os.getxattr
memfd_create: os.memfd_create("a")
eventfd: os.eventfd(0)
timerfd_create: os.timerfd_create
pidfd_open: os.pidfd_open(os.getpid())
getrandom: r = len(os.getrandom(3))
urandom: r = len(os.urandom(3))
get_terminal_size: r = isinstance(os.get_terminal_size, object)
isatty: r = os.isatty(0)
ttyname: os.ttyname
ctermid: os.ctermid()
confstr: os.confstr("CS_PATH")
sysconf: os.sysconf("SC_PAGE_SIZE")
set_blocking: a, b = os.pipe(); os.set_blocking(a, False)
get_blocking: a, b = os.pipe(); r = os.get_blocking(a)
register_at_fork: os.register_at_fork(before=len)
unshare: os.unshare
setns: os.setns
add_dll_directory: os.getpid()
access: open("a", "w").close(); r = os.access("a", os.W_OK)
utime: open("a", "w").close(); os.utime("a", (5, 5)); r = os.stat("a").st_mtime
scandir: open("a", "w").close(); r = [e.name for e in os.scandir(".")]
fwalk: r = len(list(os.fwalk(".")))
fchdir: os.fchdir(os.open(".", os.O_RDONLY))
fchmod: f = open("a", "w"); os.fchmod(f.fileno(), 0o600)
fchown: f = open("a", "w"); os.fchown(f.fileno(), -1, -1)
open: os.open(".", os.O_RDONLY)
rename: open("a", "w").close(); os.rename("a", "b"); r = os.listdir(".")
replace: open("a", "w").close(); os.replace("a", "b"); r = os.listdir(".")
makedirs: os.makedirs("x/y/z"); r = os.listdir("x")
environ: os.environ["A_B"] = "1"; r = os.getenv("A_B")
putenv: os.putenv("A_B", "1")
preadv: open("a", "w").write("xy"); f = open("a", "rb"); b = bytearray(2); os.preadv(f.fileno(), [b], 0); r = b.decode()
pread: open("a", "w").write("xy"); f = open("a", "rb"); r = os.pread(f.fileno(), 2, 0).decode()
pwrite: f = open("a", "wb"); r = os.pwrite(f.fileno(), b"xy", 0)
getuid: r = isinstance(os.getuid(), int)
getppid: r = os.getppid() > 0
abort: os.abort
_exit: os._exit
""".replace("\\n", "\x01"))
calls("signal", """
alarm: signal.alarm(0)
setitimer: signal.setitimer(signal.ITIMER_REAL, 0)
getitimer: signal.getitimer(signal.ITIMER_REAL)
pause: signal.pause
sigwait: signal.sigwait
sigwaitinfo: signal.sigwaitinfo
sigtimedwait: r = signal.sigtimedwait([signal.SIGUSR1], 0)
sigpending: signal.sigpending()
pthread_sigmask: signal.pthread_sigmask(signal.SIG_BLOCK, [])
pthread_kill: import threading; signal.pthread_kill(threading.get_ident(), 0)
siginterrupt: signal.siginterrupt(signal.SIGUSR1, False)
set_wakeup_fd: signal.set_wakeup_fd(-1)
signal: signal.signal(signal.SIGTERM, signal.SIG_IGN)
getsignal: signal.getsignal(signal.SIGTERM)
raise_signal: seen = []; signal.signal(signal.SIGUSR1, lambda *a: seen.append(1)); signal.raise_signal(signal.SIGUSR1); r = seen
strsignal: r = signal.strsignal(signal.SIGTERM)
valid_signals: r = len(signal.valid_signals()) > 30
""")
call("os.kill with a signal", "import os, signal; seen = []; signal.signal(signal.SIGUSR1, lambda *a: seen.append(1)); os.kill(os.getpid(), signal.SIGUSR1); r = seen")
calls("hashlib", """
scrypt: hashlib.scrypt(b"a", salt=b"b", n=2, r=1, p=1)
pbkdf2_hmac: r = hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1).hex()
file_digest: import io; r = hashlib.file_digest(io.BytesIO(b"a"), "sha256").hexdigest()
blake2b: r = hashlib.blake2b(b"a").hexdigest()
md5: r = hashlib.md5(b"a").hexdigest()
sha1: r = hashlib.sha1(b"a").hexdigest()
sha3_256: r = hashlib.sha3_256(b"a").hexdigest()
shake_128: r = hashlib.shake_128(b"a").hexdigest(5)
""")
for _name in ("md4", "ripemd160", "sm3", "sha512_224", "sha512_256", "md5-sha1", "whirlpool"):
    call(f"hashlib.new({_name!r})", f"import hashlib; r = hashlib.new({_name!r}, b'a').hexdigest()")
calls("hmac", """
new: r = hmac.new(b"a", b"b", "sha256").hexdigest()
digest: r = hmac.digest(b"a", b"b", "sha256").hex()
compare_digest: r = hmac.compare_digest(b"a", b"a")
""")
calls("zoneinfo", """
ZoneInfo: zoneinfo.ZoneInfo("Europe/Berlin")
ZoneInfo.no_cache: zoneinfo.ZoneInfo.no_cache("Europe/Berlin")
available_timezones: r = len(zoneinfo.available_timezones()) > 100
""")
call("zoneinfo.ZoneInfo('UTC')", "import zoneinfo; zoneinfo.ZoneInfo('UTC')")
calls("time", """
tzset: time.tzset()
sleep: a = time.monotonic(); time.sleep(0.05); r = time.monotonic() - a > 0.04
pthread_getcpuclockid: import threading; time.pthread_getcpuclockid(threading.get_ident())
clock_settime: time.clock_settime
clock_gettime: time.clock_gettime(time.CLOCK_MONOTONIC)
thread_time: r = time.thread_time() >= 0
process_time: r = time.process_time() >= 0
perf_counter: r = time.perf_counter() > 0
localtime: r = time.localtime(0)[:6]
strftime: r = time.strftime("%Y-%m-%d %A %B %p", time.gmtime(0))
strptime: r = time.strptime("2020-01-02", "%Y-%m-%d")[:3]
tzname: r = time.tzname[0] == "UTC"
""")
calls("socket", """
socket.connect: s = socket.socket(); s.settimeout(1)\\ntry: s.connect(("127.0.0.1", 1))\\nexcept ConnectionRefusedError: pass
socket.connect_ex: s = socket.socket(); s.settimeout(1); r = s.connect_ex(("127.0.0.1", 1)) == 111
socket.bind: s = socket.socket(); s.bind(("127.0.0.1", 0))
socket.listen: s = socket.socket(); s.listen()
socket.accept: s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); s.settimeout(0.01)\\ntry: s.accept()\\nexcept TimeoutError: pass
socket.sendto: socket.socket(type=socket.SOCK_DGRAM).sendto(b"a", ("127.0.0.1", 1))
socket.setsockopt: socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
socket.getsockname: r = socket.socket().getsockname()[0]
socket.settimeout: socket.socket().settimeout(1)
create_connection: \\ntry: socket.create_connection(("127.0.0.1", 1), timeout=1)\\nexcept ConnectionRefusedError: pass
create_server: socket.create_server(("127.0.0.1", 0))
socketpair: socket.socketpair()
fromfd: socket.fromfd(socket.socket().fileno(), socket.AF_INET, socket.SOCK_STREAM)
getaddrinfo: socket.getaddrinfo("127.0.0.1", 80)
gethostbyname: r = socket.gethostbyname("127.0.0.1")
gethostbyaddr: socket.gethostbyaddr("127.0.0.1")
getnameinfo: socket.getnameinfo(("127.0.0.1", 80), 0)
gethostname: socket.gethostname()
getfqdn: socket.getfqdn()
getservbyname: r = socket.getservbyname("http")
getservbyport: r = socket.getservbyport(80)
getprotobyname: r = socket.getprotobyname("tcp")
if_nameindex: socket.if_nameindex()
if_nametoindex: socket.if_nametoindex("lo")
sethostname: socket.sethostname
inet_aton: r = socket.inet_aton("127.0.0.1").hex()
inet_pton: r = socket.inet_pton(socket.AF_INET, "127.0.0.1").hex()
has_dualstack_ipv6: socket.has_dualstack_ipv6()
AF_UNIX: socket.socket(socket.AF_UNIX)
""".replace("\\n", "\x01"))
calls("select", """
select: select.select([], [], [], 0)
poll: select.poll().poll(0)
epoll: select.epoll()
""")
calls("selectors", """
DefaultSelector: selectors.DefaultSelector()
SelectSelector.select: selectors.SelectSelector().select(0)
PollSelector.select: selectors.PollSelector().select(0)
EpollSelector: selectors.EpollSelector()
""")
calls("socketserver", """
TCPServer: socketserver.TCPServer(("127.0.0.1", 0), None)
UDPServer: socketserver.UDPServer(("127.0.0.1", 0), None)
ThreadingTCPServer: socketserver.ThreadingTCPServer(("127.0.0.1", 0), None)
UnixStreamServer: socketserver.UnixStreamServer("sock", None)
""")
call("http.server.HTTPServer", "import http.server; http.server.HTTPServer(('127.0.0.1', 0), None)")
call("wsgiref.simple_server.make_server", "import wsgiref.simple_server as w; w.make_server('127.0.0.1', 0, None)")
call("xmlrpc.server.SimpleXMLRPCServer", "import xmlrpc.server as x; x.SimpleXMLRPCServer(('127.0.0.1', 0))")
call("logging.handlers.SocketHandler", "import logging, logging.handlers as h; h.SocketHandler('127.0.0.1', 1)")
call("logging.handlers.SysLogHandler", "import logging.handlers as h; h.SysLogHandler()")
call("logging.handlers.QueueListener.start", "import logging.handlers as h, queue; l = h.QueueListener(queue.Queue()); l.start(); l.stop()")
call("logging.handlers.RotatingFileHandler", "import logging.handlers as h; h.RotatingFileHandler('log')")
call("logging.config.listen", "import logging.config as c; c.listen(0).start()")
calls("asyncio", """
run: asyncio.run(asyncio.sleep(0))
new_event_loop: asyncio.new_event_loop()
Runner: asyncio.Runner().run(asyncio.sleep(0))
get_event_loop_policy: asyncio.get_event_loop_policy()
create_subprocess_exec: asyncio.run(asyncio.create_subprocess_exec("true"))
create_subprocess_shell: asyncio.run(asyncio.create_subprocess_shell("true"))
SelectorEventLoop: asyncio.SelectorEventLoop()
get_child_watcher: asyncio.get_child_watcher()
""")
call("asyncio.loop.run_until_complete", "import asyncio; asyncio.new_event_loop().run_until_complete(asyncio.sleep(0))")
calls("faulthandler", """
enable: faulthandler.enable(open("log", "w"))
dump_traceback: faulthandler.dump_traceback(open("log", "w"))
dump_traceback_later: faulthandler.dump_traceback_later(60, file=open("log", "w"))
register: import signal; faulthandler.register(signal.SIGUSR1, open("log", "w"))
""")
calls("ctypes", """
CDLL: ctypes.CDLL(None)
CFUNCTYPE: f = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1); r = f(1)
sizeof: r = ctypes.sizeof(ctypes.c_long), ctypes.sizeof(ctypes.c_void_p)
create_string_buffer: r = ctypes.create_string_buffer(3).raw.hex()
""")
call("ctypes.util.find_library", "import ctypes.util; ctypes.util.find_library('c').lower()")
calls("mmap", """
mmap: m = mmap.mmap(-1, 10); m[:2] = b"ab"; r = m[:2].decode()
mmap of a file: f = open("a", "wb+"); f.write(b"abc"); f.flush(); m = mmap.mmap(f.fileno(), 3); m[:1] = b"x"; m.flush(); f.seek(0); r = f.read().decode()
mmap.resize: m = mmap.mmap(-1, 10); m.resize(20)
mmap.madvise: m = mmap.mmap(-1, 10); m.madvise(mmap.MADV_NORMAL)
""")
calls("sys", """
platform: r = sys.platform
maxsize: r = sys.maxsize
getrecursionlimit: r = sys.getrecursionlimit()
setrecursionlimit: sys.setrecursionlimit(5000)
getswitchinterval: sys.getswitchinterval()
setswitchinterval: sys.setswitchinterval(0.1)
getallocatedblocks: r = sys.getallocatedblocks() > 0
settrace: sys.settrace(None)
setprofile: sys.setprofile(None)
_current_frames: sys._current_frames()
thread_info: r = sys.thread_info.name
executable: r = bool(sys.executable)
getfilesystemencoding: r = sys.getfilesystemencoding()
byteorder: r = sys.byteorder
float_info: r = sys.float_info.max
hash_info: r = sys.hash_info.width
getdlopenflags: sys.getdlopenflags()
stdin: r = sys.stdin.read()
argv: r = isinstance(sys.argv, list)
flags: r = sys.flags.hash_randomization
set_int_max_str_digits: sys.set_int_max_str_digits(5000)
addaudithook: sys.addaudithook(lambda *a: None)
activate_stack_trampoline: sys.activate_stack_trampoline("perf"); sys.deactivate_stack_trampoline()
remote_exec: sys.remote_exec
""")
calls("platform", """
system: r = platform.system()
machine: r = platform.machine()
node: r = isinstance(platform.node(), str)
python_implementation: r = platform.python_implementation()
architecture: r = platform.architecture()[0]
libc_ver: r = platform.libc_ver()[0]
freedesktop_os_release: platform.freedesktop_os_release
""")
calls("getpass", """
getuser: r = isinstance(getpass.getuser(), str)
""")
calls("pathlib", """
Path.home: r = isinstance(pathlib.Path.home(), pathlib.Path)
Path.expanduser: r = isinstance(pathlib.Path("~").expanduser(), pathlib.Path)
Path.owner: r = isinstance(pathlib.Path(".").owner(), str)
Path.group: r = isinstance(pathlib.Path(".").group(), str)
Path.hardlink_to: pathlib.Path("a").touch(); pathlib.Path("b").hardlink_to("a")
Path.symlink_to: pathlib.Path("a").touch(); pathlib.Path("b").symlink_to("a"); r = pathlib.Path("b").is_symlink()
Path.chmod: pathlib.Path("a").touch(); pathlib.Path("a").chmod(0o600)
Path.touch: pathlib.Path("a").touch(); r = pathlib.Path("a").exists()
Path.is_mount: r = pathlib.Path("/").is_mount()
Path.write_text: pathlib.Path("a").write_text("x"); r = pathlib.Path("a").read_text()
Path.copy: pathlib.Path("a").touch(); pathlib.Path("a").copy("b"); r = pathlib.Path("b").exists()
""")
calls("shutil", """
which: r = shutil.which("sh") is not None
chown: open("a", "w").close(); shutil.chown("a", 0)
disk_usage: r = shutil.disk_usage(".").total > 0
get_terminal_size: r = isinstance(shutil.get_terminal_size().columns, int)
copy: open("a", "w").write("x"); shutil.copy("a", "b"); r = open("b").read()
copytree: import os; os.mkdir("d"); open("d/a", "w").close(); shutil.copytree("d", "e"); r = os.listdir("e")
move: open("a", "w").close(); shutil.move("a", "b")
rmtree: import os; os.mkdir("d"); shutil.rmtree("d"); r = os.path.exists("d")
make_archive: open("a", "w").close(); shutil.make_archive("z", "zip", ".", "a")
make_archive to gztar: open("a", "w").close(); shutil.make_archive("z", "gztar", ".", "a")
""")
calls("tempfile", """
TemporaryFile: f = tempfile.TemporaryFile(); f.write(b"a"); f.seek(0); r = f.read().decode()
NamedTemporaryFile: f = tempfile.NamedTemporaryFile(); r = len(f.name) > 3
TemporaryDirectory: d = tempfile.TemporaryDirectory(); d.cleanup()
mkdtemp: tempfile.mkdtemp()
mkstemp: tempfile.mkstemp()
gettempdir: r = tempfile.gettempdir()
SpooledTemporaryFile: f = tempfile.SpooledTemporaryFile(); f.write(b"a"); f.rollover()
""")
calls("uuid", """
uuid1: uuid.uuid1()
uuid4: uuid.uuid4()
uuid6: uuid.uuid6()
uuid7: uuid.uuid7()
getnode: r = uuid.getnode() > 0
""")
calls("locale", """
setlocale: r = locale.setlocale(locale.LC_ALL, "C")
setlocale to the user's: locale.setlocale(locale.LC_ALL, "")
setlocale to a language: locale.setlocale(locale.LC_ALL, "C.UTF-8")
getlocale: r = isinstance(locale.getlocale(), tuple)
getpreferredencoding: r = locale.getpreferredencoding(False).lower()
localeconv: r = locale.localeconv()["decimal_point"]
strcoll: r = locale.strcoll("a", "b") < 0
nl_langinfo: r = locale.nl_langinfo(locale.CODESET).lower()
bindtextdomain: locale.bindtextdomain("x", ".")
gettext: r = locale.gettext("x")
""")
calls("random", """
random: r = 0 <= random.random() < 1
SystemRandom.random: r = 0 <= random.SystemRandom().random() < 1
""")
calls("secrets", """
token_hex: r = len(secrets.token_hex(3))
token_urlsafe: r = len(secrets.token_urlsafe(3))
randbelow: r = secrets.randbelow(3) < 3
""")
calls("queue", """
Queue.get: q = queue.Queue()\\ntry: q.get(timeout=0.01)\\nexcept queue.Empty: r = 1
SimpleQueue.get: q = queue.SimpleQueue()\\ntry: q.get(timeout=0.01)\\nexcept queue.Empty: r = 1
""".replace("\\n", "\x01"))
call("threading.Event.wait", "import threading; r = threading.Event().wait(0.01)")
call("threading.Condition.wait", "import threading; c = threading.Condition()\nwith c: r = c.wait(0.01)")
call("threading.Lock.acquire", "import threading; l = threading.Lock(); l.acquire(); r = l.acquire(timeout=0.01)")
call("threading.Semaphore.acquire", "import threading; s = threading.Semaphore(0); r = s.acquire(timeout=0.01)")
call("threading.local", "import threading; l = threading.local(); l.x = 1; r = l.x")
call("threading.Thread.join", "import threading; threading.Thread(target=len).join")
call("sched.scheduler.run", "import sched; s = sched.scheduler(); seen = []; s.enter(0.01, 1, seen.append, (1,)); s.run(); r = seen")
call("contextvars.copy_context", "import contextvars; r = contextvars.copy_context().run(len, 'ab')")
call("webbrowser.open", "import webbrowser; webbrowser.register; webbrowser.get; webbrowser.open")
call("readline.parse_and_bind", "import readline")
call("resource.getrusage", "import resource; resource.getrusage(resource.RUSAGE_SELF)")
call("fcntl.flock", "import fcntl; f = open('a', 'w'); fcntl.flock(f, fcntl.LOCK_EX)")
call("fcntl.lockf", "import fcntl; f = open('a', 'w'); fcntl.lockf(f, fcntl.LOCK_EX)")
call("fcntl.fcntl", "import fcntl; f = open('a', 'w'); fcntl.fcntl(f, fcntl.F_GETFD)")
call("fcntl.ioctl", "import fcntl; fcntl.ioctl")
call("termios.tcgetattr", "import termios; termios.tcgetattr")
call("pty.openpty", "import pty; pty.openpty()")
call("pty.fork", "import pty; pty.fork()[0] or __import__('os')._exit(0)")
call("pty.spawn", "import pty; pty.spawn")
call("tty.setraw", "import tty; tty.setraw")
call("ssl.create_default_context", "import ssl; ssl.create_default_context()")
call("ssl.SSLContext", "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)")
call("ssl.RAND_bytes", "import ssl; r = len(ssl.RAND_bytes(3))")
call("ssl.get_default_verify_paths", "import ssl; ssl.get_default_verify_paths()")
call("ssl.wrap_bio", "import ssl; c = ssl.create_default_context(); c.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='x')")
call("ssl.get_server_certificate", "import ssl; ssl.get_server_certificate")
call("sqlite3.connect", "import sqlite3; c = sqlite3.connect(':memory:'); r = c.execute('select 1').fetchone()")
call("sqlite3.connect to a file", "import sqlite3; c = sqlite3.connect('db'); c.execute('create table t (a)'); c.commit()")
call("sqlite3.Connection.enable_load_extension", "import sqlite3; sqlite3.connect(':memory:').enable_load_extension(True)")
call("sqlite3.Connection.backup", "import sqlite3; a = sqlite3.connect(':memory:'); a.backup(sqlite3.connect(':memory:'))")
call("lzma.compress", "import lzma; r = lzma.decompress(lzma.compress(b'a')).decode()")
call("bz2.compress", "import bz2; r = bz2.decompress(bz2.compress(b'a')).decode()")
call("zlib.compress", "import zlib; r = zlib.decompress(zlib.compress(b'a')).decode()")
call("gzip.compress", "import gzip; r = gzip.decompress(gzip.compress(b'a')).decode()")
call("compression.zstd.compress", "import compression.zstd as z; r = z.decompress(z.compress(b'a')).decode()")
call("tarfile.open", "import tarfile, io; t = tarfile.open(fileobj=io.BytesIO(), mode='w:xz'); t.close()")
call("zipfile.ZipFile with LZMA", "import zipfile, io; z = zipfile.ZipFile(io.BytesIO(), 'w', zipfile.ZIP_LZMA); z.writestr('a', 'b'); z.close()")
call("decimal.Decimal", "import decimal; r = str(decimal.Decimal(1) / 3)")
call("struct.calcsize", "import struct; r = struct.calcsize('P'), struct.calcsize('l'), struct.calcsize('n')")
call("array.array", "import array; r = array.array('l').itemsize")
call("int of a large float", "r = int(2.0 ** 70), hash(2 ** 61), hash(1.5)")
call("datetime.datetime.fromtimestamp", "import datetime; r = str(datetime.datetime.fromtimestamp(2 ** 33, datetime.timezone.utc))")
call("datetime.datetime.fromtimestamp of a negative number", "import datetime; r = str(datetime.datetime.fromtimestamp(-2 ** 33, datetime.timezone.utc))")
call("datetime.datetime.strftime", "import datetime; d = datetime.datetime(2020, 1, 2); r = d.strftime('%-d %e %k %s %G %V %u %P')")
call("datetime.datetime.strftime of an early year", "import datetime; r = datetime.datetime(33, 1, 2).strftime('%Y-%m-%d %4Y')")
call("datetime.datetime.astimezone", "import datetime; datetime.datetime(2020, 1, 2).astimezone()")
call("calendar.month_name", "import calendar; r = list(calendar.month_name)")
call("unicodedata.unidata_version", "import unicodedata; r = unicodedata.normalize('NFKC', '\u2460')")
call("encodings", "r = 'a'.encode('cp1252').hex(), 'a'.encode('shift_jis').hex(), 'a'.encode('idna').hex(), 'a'.encode('euc_kr').hex()")
call("pydoc.help", "import pydoc; pydoc.render_doc('if')")
call("pydoc.render_doc", "import pydoc; r = len(pydoc.render_doc(len)) > 5")
call("input", "input()")
call("breakpoint", "breakpoint")
call("signal.default_int_handler", "import signal; signal.default_int_handler")
call("tracemalloc.start", "import tracemalloc; tracemalloc.start(); tracemalloc.stop()")
call("cProfile.Profile", "import cProfile; p = cProfile.Profile(); p.enable(); p.disable()")
call("gc.collect", "import gc; gc.collect(); gc.get_stats()")
call("weakref.finalize", "import weakref; r = 1")
call("importlib.metadata.version", "import importlib.metadata as m; m.distributions")
call("importlib.resources.files", "import importlib.resources as i; r = i.files('json').joinpath('__init__.py').is_file()")
call("venv.create", "import venv; venv.create")
call("ensurepip.version", "import ensurepip; ensurepip.version")
call("curses.initscr", "import curses; curses.initscr")
call("dbm.open", "import dbm; dbm.open('d', 'c').close()")
call("shelve.open", "import shelve; shelve.open('d').close()")
call("tkinter.Tk", "import tkinter; tkinter.Tk")
call("turtle.Turtle", "import turtle; turtle.Turtle")
call("pwd.getpwuid", "import pwd; pwd.getpwuid(0)")
call("grp.getgrgid", "import grp; grp.getgrgid(0)")
call("syslog.syslog", "import syslog; syslog.syslog")
call("crypt.crypt", "import crypt; crypt.crypt('a', 'bc')")
call("spwd.getspall", "import spwd; spwd.getspall")
call("smtplib.SMTP", "import smtplib\ntry: smtplib.SMTP('127.0.0.1', 1, timeout=1)\nexcept ConnectionRefusedError: pass")
call("ftplib.FTP", "import ftplib\ntry: ftplib.FTP('127.0.0.1', timeout=1)\nexcept ConnectionRefusedError: pass")
call("imaplib.IMAP4", "import imaplib\ntry: imaplib.IMAP4('127.0.0.1', 1, timeout=1)\nexcept ConnectionRefusedError: pass")
call("poplib.POP3", "import poplib\ntry: poplib.POP3('127.0.0.1', 1, timeout=1)\nexcept ConnectionRefusedError: pass")
call("urllib.request.urlopen", "import urllib.request, urllib.error\ntry: urllib.request.urlopen('http://127.0.0.1:1/')\nexcept urllib.error.URLError as e:\n  if not isinstance(e.reason, ConnectionRefusedError): raise")
call("http.client.HTTPConnection.request", "import http.client\ntry: http.client.HTTPConnection('127.0.0.1', 1, timeout=1).request('GET', '/')\nexcept ConnectionRefusedError: pass")
call("xmlrpc.client.ServerProxy", "import xmlrpc.client as x\ntry: x.ServerProxy('http://127.0.0.1:1/').a()\nexcept ConnectionRefusedError: pass")
call("concurrent.interpreters.create", "import concurrent.interpreters as i; i.create().close()")
call("a deep recursion", "def f(n): return f(n + 1) if n < 900 else n\nr = f(0)")
call("a recursion of 3,000 calls under a higher limit", "import sys; sys.setrecursionlimit(5000)\ndef f(n): return f(n + 1) if n < 3000 else n\nr = f(0)")
call("json of a deep list", "import json\nx = []\nfor _ in range(500): x = [x]\nr = len(json.dumps(x))")
call("re with a large repeat", "import re; r = bool(re.match('(a|b)*c', 'ab' * 2000 + 'c'))")
call("bytes of 64 MB", "r = len(bytes(64 << 20))")

# -- running -----------------------------------------------------------------------------------------------------------


def simple(value):
    """What JSON takes; a tuple is a list there."""
    return json.loads(json.dumps(value))


def outcome_of(code):
    names = {}
    try:
        exec(compile(code.replace("\x01", "\n").replace("; \n", "\n"), "<probe>", "exec"), names)
        return ["ok", simple(names.get("r"))]
    except BaseException as error:
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        arguments = [one if isinstance(one, int | float | str | None) else repr(one) for one in error.args]
        return ["raises", name, arguments, str(error)]


def outcome_of_import(name):
    return outcome_of(f"import {name}")


def outcome_of_names(name):
    try:
        return ["ok", names_of(name)]
    except BaseException as error:
        return ["raises", type(error).__qualname__, [], str(error)]


def all_probes():
    for name in modules():
        yield "import", name, outcome_of_import, name
    for name in modules():
        if name.partition(".")[0] not in NEVER | WINDOWS:
            yield "names", name, outcome_of_names, name
    for target, codes in CALLS.items():
        for code in codes:
            yield "call", target, outcome_of, code


def main():
    import os
    import tempfile

    for number, (kind, name, probe, argument) in enumerate(all_probes()):
        if number < FIRST:
            continue
        if kind == "call":
            os.chdir(tempfile.mkdtemp())
        print("\x02" + json.dumps([number, kind, name, "begins"]), flush=True)
        print("\x02" + json.dumps([number, kind, name, probe(argument)]), flush=True)
    print("\x02" + json.dumps(["end"]), flush=True)


main()
