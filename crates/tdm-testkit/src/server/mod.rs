//! Throw-away PostgreSQL and MariaDB servers for tests.
//!
//! A test asks for a server and gets one, or is skipped by name:
//!
//! ```no_run
//! let Some(server) = tdm_testkit::require_postgres!() else { return };
//! let database = server.create_database().unwrap();
//! assert_eq!(database.execute("SELECT 1 + 1").unwrap(), "2");
//! // connect a driver to database.url(); the database is dropped with the handle
//! ```
//!
//! Where the server comes from, in this order:
//!
//! 1. `TDM_TEST_POSTGRES_URL` and `TDM_TEST_MYSQL_URL` name a running server. Its account must be allowed to create
//!    databases; each test gets its own and drops it. `tdm-test-servers` sets both around a whole test run.
//! 2. Otherwise one private server per test process is started on first use: a fresh data directory in a temporary
//!    folder, a free loopback port, a random password, nothing written through to the disk. As root it runs as an
//!    unprivileged account, because the servers refuse root. It ends with the test process, however that ends.
//! 3. Otherwise the test is skipped with a line on standard error, and in the file that `TDM_SKIPPED_LOG` names. Where
//!    `CI` or `TDM_REQUIRE_SERVERS` is set the test fails instead: a skipped check must not look like a passed one.
//!
//! Tests that stop, crash or restart a server start their own with [`Server::start`]. Statements here go through the
//! engine's client program, never through a driver. Unix only. Blocking: call it before a runtime gets busy.

mod address;
mod client;
mod error;
mod mariadb;
mod postgres;
mod process;
mod programs;
mod skip;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use address::Address;
use client::Client;
use process::{Home, Launch, Running};

pub use error::{Result, ServerError};
pub use skip::{Skipped, require, require_private, servers_are_required, skip};

/// Longest wait for a started server to answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Another program may take a free port between looking and listening.
const PORT_ATTEMPTS: usize = 4;

/// A database engine that runs as a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerKind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB, or a MySQL named by its address.
    MariaDb,
}

impl ServerKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::MariaDb];

    /// The environment variable that names a running server of this kind.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "TDM_TEST_POSTGRES_URL",
            Self::MariaDb => "TDM_TEST_MYSQL_URL",
        }
    }

    /// Accepted schemes, the one we write first.
    const fn schemes(self) -> [&'static str; 2] {
        match self {
            Self::Postgres => ["postgres", "postgresql"],
            Self::MariaDb => ["mysql", "mariadb"],
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::MariaDb => 3306,
        }
    }

    const fn admin(self) -> &'static str {
        match self {
            Self::Postgres => postgres::ADMIN,
            Self::MariaDb => mariadb::ADMIN,
        }
    }

    /// Makes a data directory and says how to start a server on it.
    fn prepare(self, password: &str) -> Result<(Home, Launch)> {
        match self {
            Self::Postgres => postgres::prepare(password),
            Self::MariaDb => mariadb::prepare(password),
        }
    }
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        })
    }
}

/// The server all tests of this process share, started on first use.
///
/// # Errors
///
/// [`Skipped`] with the reason, the same on every call, when no server can be had.
pub fn shared(kind: ServerKind) -> Result<&'static Server, &'static Skipped> {
    static POSTGRES: OnceLock<Result<Server, Skipped>> = OnceLock::new();
    static MARIADB: OnceLock<Result<Server, Skipped>> = OnceLock::new();
    let cell = match kind {
        ServerKind::Postgres => &POSTGRES,
        ServerKind::MariaDb => &MARIADB,
    };
    cell.get_or_init(|| Server::named_or_started(kind).map_err(|error| Skipped::new(kind, &error)))
        .as_ref()
}

/// A server that tests may create databases in.
///
/// Dropping a server started here stops it and removes its folder.
#[derive(Debug)]
pub struct Server {
    client: Arc<Client>,
    private: Option<Private>,
}

#[derive(Debug)]
struct Private {
    // Ended before the folder goes: fields are dropped in order, and `Drop` of the server ends it first anyway.
    running: Option<Running>,
    launch: Launch,
    home: Home,
}

impl Server {
    /// Starts a private server, whatever the environment names.
    ///
    /// Takes about one second for PostgreSQL and two for MariaDB.
    ///
    /// # Errors
    ///
    /// Programs that are missing, an account that is missing, or a server that does not start.
    pub fn start(kind: ServerKind) -> Result<Self> {
        let password = random_hex();
        let address = Address {
            kind,
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: 0,
            user: kind.admin().to_owned(),
            password,
            database: String::new(),
            options: String::new(),
        };
        let mut client = Client::find(address)?;
        let (home, base) = kind.prepare(&client.address.password)?;
        let mut attempt = 1;
        loop {
            client.address.port = process::free_port()?;
            let mut launch = base.clone();
            // Both servers spell it the same.
            launch
                .arguments
                .push(format!("--port={}", client.address.port));
            match launch_and_wait(&home, &launch, &client) {
                Ok(running) => {
                    let private = Private {
                        running: Some(running),
                        launch,
                        home,
                    };
                    return Ok(Self {
                        client: Arc::new(client),
                        private: Some(private),
                    });
                }
                Err(ServerError::Start { .. }) if attempt < PORT_ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn named_or_started(kind: ServerKind) -> Result<Self> {
        match std::env::var(kind.variable()) {
            Ok(text) if !text.is_empty() => {
                let address = Address::parse(kind, kind.variable(), &text)?;
                let server = Self {
                    client: Arc::new(Client::find(address)?),
                    private: None,
                };
                server.execute("SELECT 1")?;
                Ok(server)
            }
            _ => Self::start(kind),
        }
    }

    /// The engine.
    #[must_use]
    pub fn kind(&self) -> ServerKind {
        self.client.address.kind
    }

    /// The host name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.client.address.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.client.address.port
    }

    /// Address of the server itself, for an account that may create databases. Holds the password.
    #[must_use]
    pub fn url(&self) -> String {
        let address = &self.client.address;
        let fallback = match address.kind {
            ServerKind::Postgres => "postgres",
            ServerKind::MariaDb => "",
        };
        let database = if address.database.is_empty() {
            fallback
        } else {
            &address.database
        };
        self.url_of(database)
    }

    /// Address of a database by name, whether it exists or not. Holds the password.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        let address = &self.client.address;
        address.url(&address.user, &address.password, database)
    }

    /// Creates a database with a name of its own, UTF-8, dropped with the handle.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached.
    pub fn create_database(&self) -> Result<Database> {
        let database = self.reserve_database();
        let statement = match self.kind() {
            // template1 may have visitors, and then copying it fails.
            ServerKind::Postgres => format!(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'",
                database.name
            ),
            ServerKind::MariaDb => {
                format!("CREATE DATABASE {} CHARACTER SET utf8mb4", database.name)
            }
        };
        self.execute(&statement)?;
        Ok(database)
    }

    /// A name that no database has yet. If the code under test creates it, it is dropped with the handle all the same.
    #[must_use]
    pub fn reserve_database(&self) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!(
            "tdm_test_{}_{count}_{}",
            std::process::id(),
            &random_hex()[..8]
        );
        Database {
            client: Arc::clone(&self.client),
            url: self.url_of(&name),
            name,
        }
    }

    /// Runs statements outside any test database: accounts, settings, lists. Rows are lines, fields split by tabs.
    ///
    /// # Errors
    ///
    /// The code of the first statement that fails, without its message.
    pub fn execute(&self, statements: &str) -> Result<String> {
        self.client.execute("", statements)
    }

    /// Stops the server in order, cutting connections. Does nothing when it is not running.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotOurs`] for a server named by the environment.
    pub fn stop(&mut self) -> Result<()> {
        self.end("stop", false)
    }

    /// Ends the server as a crash would: connections cut, nothing flushed, recovery on the next start.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotOurs`] for a server named by the environment.
    pub fn kill(&mut self) -> Result<()> {
        self.end("kill", true)
    }

    /// Stops the server if it runs and starts it again on the same port and data.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotOurs`] for a server named by the environment; otherwise as [`Server::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.end("restart", false)?;
        let client = Arc::clone(&self.client);
        let private = self.ours("restart")?;
        private.running = Some(launch_and_wait(&private.home, &private.launch, &client)?);
        Ok(())
    }

    /// Whether a server started here is running, as far as its process tells; always true for a named one.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        match &mut self.private {
            None => true,
            Some(private) => private
                .running
                .as_mut()
                .is_some_and(|running| running.check().is_ok()),
        }
    }

    fn end(&mut self, action: &'static str, crash: bool) -> Result<()> {
        match self.ours(action)?.running.take() {
            Some(running) => running.end(crash),
            None => Ok(()),
        }
    }

    fn ours(&mut self, action: &'static str) -> Result<&mut Private> {
        let kind = self.kind();
        self.private
            .as_mut()
            .ok_or(ServerError::NotOurs { kind, action })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self
            .private
            .as_mut()
            .and_then(|private| private.running.take())
        {
            // The supervisor kills what does not stop; there is nobody to tell here.
            let _ = running.end(false);
        }
    }
}

/// A database of one test, dropped with this handle.
pub struct Database {
    client: Arc<Client>,
    name: String,
    url: String,
}

impl Database {
    /// The engine of its server.
    #[must_use]
    pub fn kind(&self) -> ServerKind {
        self.client.address.kind
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address for the account that owns it. Holds the password: hand it to a driver, never print it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its address for another account, which the test has created with [`Database::execute`].
    #[must_use]
    pub fn url_as(&self, user: &str, password: &str) -> String {
        self.client.address.url(user, password, &self.name)
    }

    /// Runs statements in this database through the engine's client. Rows are lines, fields split by tabs.
    ///
    /// # Errors
    ///
    /// The code and line of the first statement that fails, without its message.
    pub fn execute(&self, statements: &str) -> Result<String> {
        self.client.execute(&self.name, statements)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({} {})", self.kind(), self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = match self.client.address.kind {
            ServerKind::Postgres => format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
            ServerKind::MariaDb => format!(
                "SET lock_wait_timeout = 5; DROP DATABASE IF EXISTS {}",
                self.name
            ),
        };
        // A server that was stopped takes its databases with it.
        let _ = self.client.execute("", &statement);
    }
}

fn launch_and_wait(home: &Home, launch: &Launch, client: &Client) -> Result<Running> {
    let mut running = Running::start(home, launch)?;
    let start = Instant::now();
    loop {
        running.check()?;
        if client.execute("", "SELECT 1").is_ok() {
            return Ok(running);
        }
        if start.elapsed() > START_LIMIT {
            let (kind, limit_s) = (launch.kind, START_LIMIT.as_secs());
            running.end(false)?;
            return Err(ServerError::Timeout {
                kind,
                action: "start",
                limit_s,
            });
        }
        thread::sleep(Duration::from_millis(25));
    }
}

/// 32 hexadecimal digits nobody can guess: the standard library seeds its hash keys from the operating system.
fn random_hex() -> String {
    let half = || RandomState::new().hash_one(0_u64);
    format!("{:016x}{:016x}", half(), half())
}
