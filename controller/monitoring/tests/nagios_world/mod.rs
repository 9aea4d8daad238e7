//! A real Nagios in a folder of its own, unprivileged, and its real CGIs behind a small HTTP bridge.
//!
//! The packages come from `e2e/tools/nagios.sh`. Everything that is started here is ended, by its id, with its test.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::server::{Running, serve};
use rollcall_monitoring::endpoint::SystemLookup;
use rollcall_monitoring::http::Http;
use rollcall_monitoring::nagios::{Cgi, Files, Login, NagiosSource, Terms, Told, Way};
use tempfile::TempDir;

use crate::common;

/// Nobody, whom root becomes to run Nagios; it needs no rights.
const NOBODY: u32 = 65_534;
/// Longer than anything here takes; no test waits for it unless it fails.
const AT_MOST: Duration = Duration::from_mins(1);

/// Where Nagios is unpacked, or none where it cannot be had: the test then says so and passes.
pub fn unpacked() -> Option<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/tools/nagios.sh");
        let out = Command::new(script).output().map_err(|e| e.to_string())?;
        let last =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned();
        if out.status.success() { Ok(last(&out.stdout).into()) } else { Err(last(&out.stderr)) }
    });
    match folder {
        Ok(folder) => Some(folder),
        Err(why) => {
            // Not by print!, which a passing test swallows; at once, so that it stands on a line of its own.
            let notice = format!("\nSKIPPED (1): a real Nagios: {why}\n");
            io::stderr().write_all(notice.as_bytes()).unwrap();
            None
        }
    }
}

/// A running Nagios and its bridge.
pub struct World {
    packages: &'static Path,
    folder: TempDir,
    daemon: Child,
    /// The daemon's own processes, which a killed daemon leaves behind.
    workers: Vec<u32>,
    bridge: Option<Running>,
    /// Path and query of everything that was asked.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// Starts Nagios with these objects beside [`BASE`], and waits until it has written its status.
    pub async fn start(packages: &'static Path, objects: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("nagios").tempdir_in("/tmp").unwrap();
        lay_out(packages, folder.path(), objects);
        let daemon = daemon(folder.path());
        let (workers, asked) = (vec![], Arc::default());
        let mut world = Self { packages, folder, daemon, workers, bridge: None, asked };
        world.bridge = Some(world.bridge().await);
        world.until("Nagios has written its status", |world| world.path("var/status.dat").exists()).await;
        world.until("the FIFO is there", |world| world.path("var/rw/nagios.cmd").exists()).await;
        world.workers = children(world.daemon.id());
        world
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("var/nagios.log")).unwrap_or_default()
    }

    /// Waits for something that Nagios does in its own time.
    pub async fn until(&mut self, what: &str, mut seen: impl FnMut(&mut Self) -> bool) {
        let begun = std::time::Instant::now();
        while !seen(self) {
            assert!(begun.elapsed() < AT_MOST, "waited in vain until {what}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads by files until they tell what is expected.
    pub async fn told(&mut self, what: &str, expected: impl Fn(&Told) -> bool) -> Told {
        let begun = std::time::Instant::now();
        loop {
            let told = self.files().told(Timestamp::now()).await;
            if expected(&told) {
                return told;
            }
            assert!(begun.elapsed() < AT_MOST, "waited in vain until {what}:\n{told:#?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Writes an external command, as an operator would.
    pub fn command(&self, line: &str) {
        let mut fifo = std::fs::OpenOptions::new().write(true).open(self.path("var/rw/nagios.cmd")).unwrap();
        writeln!(fifo, "[{}] {line}", Timestamp::now().as_second()).unwrap();
    }

    /// Sends a signal to the daemon.
    pub fn signal(&self, name: &str) {
        let id = self.daemon.id().to_string();
        assert!(
            Command::new("/bin/sh")
                .args(["-c", r#"kill -s "$0" "$1""#, name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub fn has_ended(&mut self) -> bool {
        self.daemon.try_wait().unwrap().is_some()
    }

    pub fn write(&self, below: &str, text: &str) {
        std::fs::write(self.path(below), text).unwrap();
    }

    /// One unit of time is a second here, and a status is old after so many.
    pub fn terms(age: i64) -> Terms {
        Terms {
            interval_length: SignedDuration::from_secs(1),
            max_status_age: SignedDuration::from_secs(age),
        }
    }

    pub fn files(&self) -> NagiosSource {
        self.files_aged(60)
    }

    pub fn files_aged(&self, age: i64) -> NagiosSource {
        let (objects, status) = (self.path("var/objects.cache"), self.path("var/status.dat"));
        let files = Files { within: self.path("var"), objects, status };
        NagiosSource::new(Way::Files(files), Self::terms(age))
    }

    /// By the CGIs as this user, whose password is `s3cret`.
    pub fn cgi(&self, user: &str) -> NagiosSource {
        self.cgi_with(user, "s3cret", 60, 10_000)
    }

    pub fn cgi_with(&self, user: &str, password: &str, age: i64, page: usize) -> NagiosSource {
        let http = Http::new(
            &common::loopback(),
            Arc::new(SystemLookup),
            &common::tls(),
            common::fast(),
            common::hasty(),
        );
        let base = common::loopback().endpoint(self.cgi_url().trim_end_matches('/')).unwrap();
        let cgi = Cgi::new(http.unwrap(), base, Arc::new(Login::new(user, password).unwrap()));
        NagiosSource::new(Way::Cgi(Box::new(cgi.paged(page))), Self::terms(age))
    }

    /// The folder with the CGIs.
    pub fn cgi_url(&self) -> String {
        format!("{}/nagios4/cgi-bin/", self.bridge.as_ref().unwrap().url())
    }

    /// What a web server does: it asks for the password and runs the CGI.
    async fn bridge(&self) -> Running {
        let (cgis, conf) = (self.packages.join("usr/lib/cgi-bin/nagios4"), self.path("etc/cgi.cfg"));
        let asked = self.asked.clone();
        let router = Router::new().fallback(move |request: Request| {
            asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
            let (cgis, conf) = (cgis.clone(), conf.clone());
            async move { tokio::task::spawn_blocking(move || run_cgi(&cgis, &conf, &request)).await.unwrap() }
        });
        serve(router).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let left: Vec<u32> = children(self.daemon.id()).into_iter().chain(self.workers.clone()).collect();
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        // Ids come again: only what still runs in our folder is ours.
        let ours = self.folder.path().to_string_lossy().into_owned();
        let runs_here = |id: &&u32| {
            std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(&ours))
        };
        for id in left.iter().filter(runs_here) {
            let _ = Command::new("/bin/sh").args(["-c", r#"kill -s KILL "$0""#, &id.to_string()]).status();
        }
    }
}

fn children(id: u32) -> Vec<u32> {
    let listed = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Runs as root only to become nobody; as anybody else it stays that.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn daemon(folder: &Path) -> Child {
    let mut command = Command::new(folder.join("bin/nagios4"));
    command
        .arg(folder.join("etc/nagios.cfg"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.spawn().unwrap()
}

fn lay_out(packages: &Path, folder: &Path, objects: &str) {
    for below in ["bin", "etc/objects", "var/rw", "var/archives", "var/spool", "tmp"] {
        std::fs::create_dir_all(folder.join(below)).unwrap();
    }
    // Copied, because nobody may not enter the folder of packages.
    for (program, name) in
        [("usr/sbin/nagios4", "nagios4"), ("usr/lib/nagios/plugins/check_dummy", "check_dummy")]
    {
        std::fs::copy(packages.join(program), folder.join("bin").join(name)).unwrap();
        std::fs::set_permissions(folder.join("bin").join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let at = folder.display();
    std::fs::write(folder.join("etc/nagios.cfg"), MAIN.replace('@', &at.to_string())).unwrap();
    std::fs::write(folder.join("etc/resource.cfg"), format!("$USER1$={at}/bin\n")).unwrap();
    std::fs::write(folder.join("etc/cgi.cfg"), CGI.replace('@', &at.to_string())).unwrap();
    std::fs::write(folder.join("etc/objects/base.cfg"), BASE).unwrap();
    std::fs::write(folder.join("etc/objects/site.cfg"), objects).unwrap();
    if is_root() {
        give_away(folder);
    }
}

fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

fn run_cgi(cgis: &Path, conf: &Path, request: &Request) -> Response {
    let Some(user) = user_of(request) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let name = request.uri().path().rsplit('/').next().unwrap();
    assert!(["statusjson.cgi", "objectjson.cgi"].contains(&name), "{name} is not for reading");
    let out = Command::new(cgis.join(name))
        .env_clear()
        .env("REQUEST_METHOD", request.method().as_str())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("NAGIOS_CGI_CONFIG", conf)
        .env("REMOTE_USER", user)
        .output()
        .unwrap();
    let head = b"\r\n\r\n";
    let end = out.stdout.windows(head.len()).position(|window| window == head).unwrap();
    let body = out.stdout.get(end + head.len()..).unwrap();
    Bytes::copy_from_slice(body).into_response()
}

/// The user, when the password is right. The tests' users are these.
fn user_of(request: &Request) -> Option<&'static str> {
    let sent = request.headers().get("authorization")?.to_str().ok()?;
    [
        ("Basic cm9sbGNhbGw6czNjcmV0", "rollcall"),
        ("Basic b25jYWxsOnMzY3JldA==", "oncall"),
        ("Basic bm9ib2R5OnMzY3JldA==", "nobody"),
    ]
    .into_iter()
    .find_map(|(right, user)| (right == sent).then_some(user))
}

/// The main configuration; `@` is the folder. A unit of time is a second, and nothing is spread over time.
const MAIN: &str = "log_file=@/var/nagios.log
cfg_dir=@/etc/objects
object_cache_file=@/var/objects.cache
precached_object_file=@/var/objects.precache
resource_file=@/etc/resource.cfg
status_file=@/var/status.dat
status_update_interval=1
check_external_commands=1
command_file=@/var/rw/nagios.cmd
query_socket=@/var/rw/nagios.qh
lock_file=@/var/nagios.pid
temp_file=@/var/nagios.tmp
temp_path=@/tmp
check_result_path=@/var/spool
check_result_reaper_frequency=1
state_retention_file=@/var/retention.dat
log_archive_path=@/var/archives
use_syslog=0
check_for_updates=0
enable_flap_detection=0
interval_length=1
check_service_freshness=1
service_freshness_check_interval=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
check_workers=2
illegal_object_name_chars=`~!$%^&*|'\"<>?,()=
";

/// Only `rollcall` may see everything.
const CGI: &str = "main_config_file=@/etc/nagios.cfg
physical_html_path=@
url_html_path=/nagios4
use_authentication=1
authorized_for_all_hosts=rollcall
authorized_for_all_services=rollcall
";

/// What every site needs.
const BASE: &str = "define timeperiod {
  timeperiod_name 24x7
  alias always
  sunday 00:00-24:00
  monday 00:00-24:00
  tuesday 00:00-24:00
  wednesday 00:00-24:00
  thursday 00:00-24:00
  friday 00:00-24:00
  saturday 00:00-24:00
}
define command {
  command_name check_dummy
  command_line $USER1$/check_dummy $ARG1$ \"$ARG2$\"
}
define command {
  command_name notify-null
  command_line /bin/true
}
define contact {
  name any-contact
  register 0
  host_notification_period 24x7
  service_notification_period 24x7
  host_notification_options d,u,r
  service_notification_options w,u,c,r
  host_notification_commands notify-null
  service_notification_commands notify-null
}
define contact {
  use any-contact
  contact_name oncall
}
define contact {
  use any-contact
  contact_name silent
  host_notification_options n
  service_notifications_enabled 0
}
define contactgroup {
  contactgroup_name admins
  members oncall
}
define host {
  name any-host
  register 0
  check_command check_dummy!0!s3cret
  check_interval 3600
  retry_interval 3600
  max_check_attempts 1
  check_period 24x7
  notification_period 24x7
  notification_interval 0
  contact_groups admins
  address 127.0.0.1
}
define service {
  name any-service
  register 0
  check_interval 3600
  retry_interval 3600
  max_check_attempts 1
  check_period 24x7
  notification_period 24x7
  notification_interval 0
  contact_groups admins
}
";

/// One `define`.
pub fn object(kind: &str, fields: &[(&str, &str)]) -> String {
    let mut text = format!("define {kind} {{\n");
    for (key, value) in fields {
        writeln!(text, "  {key} {value}").unwrap();
    }
    text + "}\n"
}

pub fn host(name: &str, fields: &[(&str, &str)]) -> String {
    object("host", &[&[("use", "any-host"), ("host_name", name)], fields].concat())
}

pub fn service(host: &str, name: &str, command: &str, fields: &[(&str, &str)]) -> String {
    let own = [
        ("use", "any-service"),
        ("host_name", host),
        ("service_description", name),
        ("check_command", command),
    ];
    object("service", &[&own[..], fields].concat())
}
