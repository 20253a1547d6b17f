//! A private PC/SC service: the system's pcscd, with one virtual reader under a name of our choice, in a namespace where its socket lies in a
//! folder of ours. The machine's own service, if one runs, sees nothing of it.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Tells libpcsclite where the service is. It looks once, at its first call, which is why every test runs in a process of its own.
const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";
const SOCKET: &str = "pcscd.comm";
/// Debian's configuration of the virtual reader; it says where the driver lies.
const DEBIAN_CONFIG: &str = "/etc/reader.conf.d/vpcd";

const UP_WITHIN: Duration = Duration::from_secs(20);
/// A test that hangs ends here, with a sentence.
const TEST_WITHIN: Duration = Duration::from_secs(90);

/// A running service.
pub struct Pcscd {
    folder: PathBuf,
    reader: String,
    port: u16,
    child: Option<Child>,
}

impl Pcscd {
    /// Starts a service with one virtual reader of this name.
    pub fn start(reader: &str) -> Self {
        let socket = std::env::var(SOCKET_VARIABLE).expect("a test of the PC/SC service runs by `alone`");
        let folder = PathBuf::from(socket).parent().expect("a folder").to_owned();
        let mut this = Self {
            folder,
            reader: reader.to_owned(),
            port: free_ports(),
            child: None,
        };
        this.again();
        this
    }

    /// Where the virtual reader waits for a card.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the service, as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _killed = child.kill();
            let _ended = child.wait();
        }
        // What a service that was killed leaves behind; through the link, where the folder is not bound over its own.
        let socket = self.folder.join(SOCKET);
        let _gone = std::fs::canonicalize(&socket).and_then(std::fs::remove_file);
        let _gone = std::fs::remove_file(&socket);
    }

    /// Starts it again after [`kill`](Self::kill).
    pub fn again(&mut self) {
        let config = self.folder.join("reader.conf.d");
        std::fs::create_dir_all(&config).expect("a folder for its configuration");
        let driver = driver().unwrap_or_else(|| panic!("{DEBIAN_CONFIG} names no driver"));
        // Two slots, one port each; the second stays empty.
        let (reader, port) = (&self.reader, self.port);
        let text =
            format!("FRIENDLYNAME \"{reader}\"\nDEVICENAME /dev/null:{port}\nLIBPATH {driver}\nCHANNELID {port}\n");
        std::fs::write(config.join("vpcd"), text).expect("its configuration");
        let log = std::fs::File::create(self.folder.join("pcscd.log")).expect("its log");
        let room = Room::here().unwrap_or_else(|lacks| panic!("{lacks}"));
        let child = room
            .command()
            .args([SERVICE_SCRIPT, room.place()])
            .args([&self.folder, &config])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its log"))
            .stderr(log)
            .spawn()
            .expect("a shell starts");
        self.child = Some(child);
        self.wait_until_up();
    }

    fn wait_until_up(&mut self) {
        let until = Instant::now() + UP_WITHIN;
        let socket = self.folder.join(SOCKET);
        while UnixStream::connect(&socket).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(
                ended.is_none() && Instant::now() < until,
                "pcscd does not run: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("pcscd.log")).unwrap_or_default()
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts pcscd with `$1` for its socket and `$2` for its configuration, where `$0` says how. Debian keeps pcscd where only root looks.
const SERVICE_SCRIPT: &str = r#"
    PATH=$PATH:/usr/sbin
    case $0 in
        bound)
            # Without root the folder can only be made where nothing of the machine is seen.
            mkdir -p /run/pcscd 2>/dev/null || { mount -t tmpfs tmpfs /run && mkdir /run/pcscd; }
            mount --bind "$1" /run/pcscd
            ;;
        linked)
            mkdir -p /run/pcscd
            rm -f /run/pcscd/pcscd.pid
            ln -sf /run/pcscd/pcscd.comm "$1/pcscd.comm"
            ;;
    esac
    # Newer ones ask polkit who may connect, which nobody runs here.
    case $(pcscd --help 2>&1) in
        *--disable-polkit*) polkit=--disable-polkit ;;
        *) polkit= ;;
    esac
    exec pcscd $polkit --foreground --info --config "$2"
"#;

/// Where on this machine a service of our own can run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// In a mount namespace, where its folder is ours.
    Namespace,
    /// In one that belongs to a user namespace: without root, or in a container that has none of root's rights.
    UserNamespace,
    /// As the machine's own, which has none: root in a container that allows no namespace. One at a time.
    Machine,
}

impl Room {
    fn here() -> Result<Self, &'static str> {
        let works = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        if !works(Command::new("sh").args(["-c", "PATH=$PATH:/usr/sbin; command -v pcscd"])) {
            return Err("pcscd is not installed");
        }
        if driver().is_none() {
            return Err("vsmartcard-vpcd is not installed");
        }
        let binds = |room: &Self| {
            works(
                room.command()
                    .args(["mkdir -p \"$0\"; mount --bind \"$0\" \"$0\"", "/tmp"]),
            )
        };
        let spaces = [Self::Namespace, Self::UserNamespace];
        if let Some(room) = spaces.into_iter().find(binds) {
            return Ok(room);
        }
        if !rustix::process::geteuid().is_root() {
            return Err("this machine allows no mount namespace, and this is not root");
        }
        Ok(Self::Machine)
    }

    /// A shell there; its script and arguments follow.
    fn command(self) -> Command {
        let namespace: &[&str] = match self {
            Self::Namespace => &["unshare", "--mount", "--propagation", "private"],
            Self::UserNamespace => &["unshare", "--user", "--map-root-user", "--mount"],
            Self::Machine => &["env"],
        };
        let mut command = Command::new(namespace.first().expect("a program"));
        command.args(namespace.iter().skip(1)).args(["sh", "-ec"]);
        command
    }

    fn place(self) -> &'static str {
        match self {
            Self::Namespace | Self::UserNamespace => "bound",
            Self::Machine => "linked",
        }
    }
}

fn driver() -> Option<String> {
    let config = std::fs::read_to_string(DEBIAN_CONFIG).ok()?;
    let line = config.lines().find_map(|line| line.trim().strip_prefix("LIBPATH"))?;
    Some(line.trim().to_owned()).filter(|driver| Path::new(driver).exists())
}

/// A port that is free, as is the one after it, which the second slot takes.
fn free_ports() -> u16 {
    let free = |port| TcpListener::bind(("0.0.0.0", port));
    (0..100)
        .find_map(|_| {
            let first = free(0).ok()?;
            let port = first.local_addr().ok()?.port();
            free(port.checked_add(1)?).ok().map(|_| port)
        })
        .expect("two free ports")
}

/// Runs a test in a process of its own with a socket of its own: `name` is the path of the test, `test` what it does there. Where this machine does
/// not let it, that is said past the test runner, which shows nothing of a test that passes.
pub fn alone(name: &str, test: impl FnOnce()) {
    if std::env::var_os(SOCKET_VARIABLE).is_some() {
        test();
        return;
    }
    // Locked until the end.
    let (lacks, _turn) = match Room::here() {
        Ok(Room::Machine) => {
            // It has room for one: the tests take turns, and a service that is none of theirs is let alone.
            let file = std::fs::File::create("/run/pcscd-of-tests.lock").expect("root may make it");
            file.lock().expect("a lock on it");
            let taken = UnixStream::connect(Path::new("/run/pcscd").join(SOCKET)).is_ok();
            let lacks = taken.then_some("this machine allows no mount namespace, and a pcscd of its own runs");
            (lacks, Some(file))
        }
        Ok(Room::Namespace | Room::UserNamespace) => (None, None),
        Err(lacks) => (Some(lacks), None),
    };
    if let Some(lacks) = lacks {
        let _seen = writeln!(
            std::io::stderr(),
            "\n*** SKIPPED a test against the real PC/SC service: {lacks} ***"
        );
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = folder.path().join("said");
    let out = std::fs::File::create(&said).expect("a file for what it says");
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args([name, "--exact", "--nocapture", "--quiet"])
        .env(SOCKET_VARIABLE, folder.path().join(SOCKET))
        .stdin(Stdio::null())
        .stdout(out)
        .spawn()
        .expect("this test starts once more");
    let until = Instant::now() + TEST_WITHIN;
    let status: Option<ExitStatus> = loop {
        if let Some(status) = child.try_wait().expect("a child of this process") {
            break Some(status);
        }
        if Instant::now() > until {
            let _killed = child.kill();
            let _ended = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let read = |file: &Path| std::fs::read_to_string(file).unwrap_or_default();
    // What the test says, without what the test runner says: that is said once more outside, and counted there.
    let runner = ["running ", "test result:", "."];
    for line in read(&said).lines() {
        if !line.is_empty() && !runner.iter().any(|start| line.starts_with(start)) {
            println!("{line}");
        }
    }
    let log = read(&folder.path().join("pcscd.log"));
    match status {
        Some(status) => assert!(status.success(), "{name} failed; pcscd said:\n{log}"),
        None => panic!("{name} still ran after {TEST_WITHIN:?}; pcscd said:\n{log}"),
    }
}
