//! A sandbox, a home folder, and the program.

use proxymesh_sandbox::{Builder, Sandbox};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// The secrets of these tests, which no output may contain: tests/canaries.txt.
pub(crate) const PASSWORD: &str = "canary-password-7f3a91";
pub(crate) const SUB_PASSWORD: &str = "canary-sub-password-7f3a91";

/// A sandbox, and a home folder that nothing else uses. Both end with it.
pub(crate) struct Place {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: PathBuf,
}

/// What a run of the program has left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("proxymesh-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        let sandbox = change(Sandbox::builder().username("me+1@ex.com").password(PASSWORD)).start().unwrap();
        Self { sandbox, home }
    }

    /// The program with nothing in its environment but the sandbox's address.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proxymesh"));
        self.prepare(&mut command);
        command
    }

    /// Gives a program this place's environment.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command.env_clear().current_dir(&self.home).stdin(Stdio::null()).envs(self.environment());
    }

    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let home = self.home.to_str().unwrap();
        let programs = Path::new(env!("CARGO_BIN_EXE_proxymesh")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let fixed = [
            ("HOME", home),
            ("APPDATA", home),
            ("LOCALAPPDATA", home),
            ("TERM", "xterm"),
            ("PATH", &path),
            ("PROXYMESH_BASE_URL", self.sandbox.base_url()),
        ];
        fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// The program with the parent's credentials in the environment.
    pub(crate) fn program(&self) -> Command {
        let mut command = self.bare();
        command.env("PROXYMESH_USERNAME", "me+1@ex.com").env("PROXYMESH_PASSWORD", PASSWORD);
        command
    }

    /// Runs a command with the parent's credentials. The words are separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Ran {
        ran(self.program().args(words.split(' ')))
    }

    /// The same, which has to succeed, and returns the records.
    pub(crate) fn records(&self, words: &str) -> Vec<Value> {
        let ran = self.run(words);
        assert_eq!(ran.status, 0, "{words}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{words}: {error}: {}", ran.stdout))
    }

    /// The methods and paths of the calls that have arrived.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.sandbox.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The file of the default profile.
    pub(crate) fn profile(&self, name: &str) -> PathBuf {
        let settings = if cfg!(windows) {
            self.home.clone()
        } else if cfg!(target_vendor = "apple") {
            self.home.join("Library/Application Support")
        } else {
            self.home.join(".config")
        };
        settings.join("proxymesh/profiles").join(format!("{name}.json"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// Runs a program. No output may contain a secret, except where a test looks for it.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let ran = ran_showing_secrets(command);
    for text in [&ran.stdout, &ran.stderr] {
        assert!(
            !text.contains("canary"),
            "a secret was printed by {:?}",
            command.get_args().collect::<Vec<_>>()
        );
    }
    ran
}

/// The same for what has to show a secret.
pub(crate) fn ran_showing_secrets(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Runs a program, and writes `input` to its stdin.
pub(crate) fn fed(command: &mut Command, input: &str) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran {
        status: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    assert!(!ran.stdout.contains("canary") && !ran.stderr.contains("canary"), "a secret was printed");
    ran
}

/// Says that a test needs a program that this machine does not have. On a CI's machine, that is an error.
pub(crate) fn skip(program: &str, error: &std::io::Error) {
    assert!(std::env::var_os("CI").is_none(), "{program}: {error}");
    println!("skipped, because {program} cannot be run: {error}");
}
