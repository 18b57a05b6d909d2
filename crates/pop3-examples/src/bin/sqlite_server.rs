//! A whole server over SQLite, with TLS: the users and the mail are in two tables, and passwords are hashed with Argon2.

use std::collections::HashSet;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pop3_tokio::maildrop::{LoginError, Maildrop, NotRemoved, Peer, Store};
use pop3_tokio::proto::codec::{MessageNumber, UniqueId, WireSize};
use pop3_tokio::proto::sasl::PresentedCredentials;
use pop3_tokio::proto::server::{LoginAttempt, Snapshot};
use pop3_tokio::{Client, ClientOptions, ListenSecurity, Security, Server, ServerOptions, tls};
use rusqlite::{Connection, OptionalExtension, params};

const SCHEMA: &str = "
    CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT NOT NULL);
    CREATE TABLE mail (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL REFERENCES users, text BLOB NOT NULL);";

#[derive(Clone)]
struct Database {
    connection: Arc<Mutex<Connection>>,
    /// The users whose maildrop a session holds.
    locked: Arc<Mutex<HashSet<String>>>,
}

fn sql<T>(result: rusqlite::Result<T>) -> io::Result<T> {
    result.map_err(io::Error::other)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for Database {
    type Maildrop = Mailbox;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<Mailbox, LoginError> {
        let PresentedCredentials::Password(password) = &login.credentials else { return Err(LoginError::Credentials) };
        let name = str::from_utf8(login.name.as_bytes()).map_err(|_| LoginError::Credentials)?.to_owned();
        let query = "SELECT hash FROM users WHERE name = ?";
        let found = lock(&self.connection).query_row(query, [&name], |row| row.get::<_, String>(0));
        // An unknown user is checked against a hash, too, so that the time does not tell which users exist.
        let hash = sql(found.optional())?.unwrap_or_else(|| DECOY.to_owned());
        if !pop3_users::verify(hash.as_bytes(), password.expose(), &mut pop3_users::Memory::default()) {
            return Err(LoginError::Credentials);
        }
        if !lock(&self.locked).insert(name.clone()) {
            return Err(LoginError::InUse);
        }
        Ok(Mailbox { database: self.clone(), owner: name, ids: Vec::new() })
    }
}

/// Argon2 with the parameters of `pop3_users::hash`, and a digest of zeros.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The mail of one user, locked by one session.
struct Mailbox {
    database: Database,
    owner: String,
    ids: Vec<i64>,
}

impl Maildrop for Mailbox {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let connection = lock(&self.database.connection);
        let mut query = sql(connection.prepare("SELECT id, text FROM mail WHERE owner = ? ORDER BY id"))?;
        let rows = sql(query.query_map([&self.owner], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))))?;
        let mut snapshot = Snapshot::default();
        for row in rows {
            let (id, text) = sql(row)?;
            let mut size = WireSize::new();
            size.add(&text);
            // AUTOINCREMENT uses no number twice, so the number is a unique-id.
            let unique_id = id.to_string();
            snapshot.push(size.octets(), UniqueId::new(&unique_id).map_err(io::Error::other)?).map_err(io::Error::other)?;
            self.ids.push(id);
        }
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        let id = self.ids.get(number.index()).ok_or(io::ErrorKind::NotFound)?;
        let query = "SELECT text FROM mail WHERE id = ?";
        let text = lock(&self.database.connection).query_row(query, [id], |row| row.get::<_, Vec<u8>>(0));
        Ok(Box::new(Cursor::new(sql(text.optional())?.ok_or(io::ErrorKind::NotFound)?)))
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        // All or nothing, as a transaction.
        let remove = || -> rusqlite::Result<()> {
            let mut connection = lock(&self.database.connection);
            let transaction = connection.transaction()?;
            for id in marked.iter().filter_map(|number| self.ids.get(number.index())) {
                transaction.execute("DELETE FROM mail WHERE id = ? AND owner = ?", params![id, self.owner])?;
            }
            transaction.commit()
        };
        remove().map_err(|error| NotRemoved::all(marked, error))
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        lock(&self.database.locked).remove(&self.owner);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT INTO users VALUES ('joe', ?)", [pop3_users::hash(b"secret")?])?;
    for text in ["Subject: one\n\n.1\n", "Subject: two\n\n2\n"] {
        connection.execute("INSERT INTO mail (owner, text) VALUES ('joe', ?)", [text.as_bytes()])?;
    }
    let database = Database { connection: Arc::new(Mutex::new(connection)), locked: Arc::default() };

    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = certified.cert.pem();
    let identity = tls::server(certificate.as_bytes(), certified.signing_key.serialize_pem().as_bytes())?;
    let server = Arc::new(Server::new(ServerOptions::with_tls(identity), database.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let serving = Arc::clone(&server);
    let task = tokio::spawn(async move { serving.serve(&listener, ListenSecurity::ImplicitTls).await });

    // A client of it.
    let options = ClientOptions::new(Security::Tls(tls::client_trusting(certificate.as_bytes())?));
    let mut client = Client::connect("localhost", port, &options).await?;
    client.login("joe", "secret").await?;
    for message in client.list().await? {
        print!("{}", String::from_utf8_lossy(&client.retr(message.number).await?.into_vec().await?));
    }
    client.dele(MessageNumber::FIRST).await?;
    client.quit().await?;
    server.shutdown(Duration::from_secs(10)).await;
    task.await??;
    let left: i64 = lock(&database.connection).query_row("SELECT count(*) FROM mail", [], |row| row.get(0))?;
    println!("{left} message left");
    Ok(())
}
