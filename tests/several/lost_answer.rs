//! Commits whose answers are lost with the connection.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use canary_server::DatabaseUrl;
use canary_tests::{Cluster, Ending, Http, Product, ServerProcess, SharedDatabase, eventually};

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// What becomes of the next commit.
const PASS: u8 = 0;
const LOSE_IT: u8 = 1;
const LOSE_ITS_ANSWER: u8 = 2;
const BRING_IT_LATE: u8 = 3;

/// How the message goes on, after its length, that begins a transaction.
const BEGIN: &[u8] = b"BEGIN";

/// The messages that end one, as they go over the line.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
const ROLLBACK: &[u8] = b"Q\0\0\0\x0dROLLBACK\0";

/// What is in the last statement of every commit: where others hear of it.
const NEWS: &[u8] = b"canary_news_";

/// A line between a server and its PostgreSQL, which can be cut in the moment of a commit.
struct Line {
    socket: PathBuf,
    /// What becomes of the next commit; then it is [`PASS`] again.
    next: AtomicU8,
    /// Held while nobody gets through.
    closed: Mutex<()>,
    /// Held while what is late waits.
    late: Mutex<()>,
    has_come_late: AtomicBool,
}

impl Line {
    /// Lays it; gives it with its port.
    fn lay(cluster: &Cluster) -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let line = Arc::new(Self {
            socket: cluster.socket(),
            next: AtomicU8::new(PASS),
            closed: Mutex::default(),
            late: Mutex::default(),
            has_come_late: AtomicBool::new(false),
        });
        let own = line.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let line = own.clone();
                thread::spawn(move || line.connect(client));
            }
        });
        (line, port)
    }

    /// Lets nobody through until it is dropped; who is connected stays so.
    fn close(&self) -> MutexGuard<'_, ()> {
        self.closed.lock().expect("nobody panics while it is held")
    }

    /// Waits until a commit was cut.
    fn until_cut(&self) {
        eventually("a commit that is cut", || {
            (self.next.load(Ordering::SeqCst) == PASS).then_some(())
        });
    }

    /// Carries what a client says to PostgreSQL, and what that answers back, until one of them, or
    /// the line, ends.
    fn connect(&self, mut client: TcpStream) {
        drop(self.close());
        let mut server = UnixStream::connect(&self.socket).expect("PostgreSQL");
        let mut answers = server.try_clone().expect("a second end");
        let mut back = client.try_clone().expect("a second end");
        let carrying = thread::spawn(move || {
            // It ends when either does.
            let _ = std::io::copy(&mut answers, &mut back);
        });
        let mut bytes = [0; 64 << 10];
        let (mut client_says, mut fate) = (Transactions::default(), PASS);
        while let Ok(read @ 1..) = client.read(&mut bytes) {
            let said = &bytes[..read];
            if client_says.that_it_commits(said) {
                fate = self.next.swap(PASS, Ordering::SeqCst);
            }
            if fate != PASS {
                // Nothing comes back from here on.
                let _ = client.shutdown(std::net::Shutdown::Both);
            }
            if fate == BRING_IT_LATE {
                drop(self.late.lock().expect("nobody panics while it is held"));
            }
            if fate == LOSE_IT || server.write_all(said).is_err() || fate != PASS {
                break;
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = server.shutdown(std::net::Shutdown::Write);
        // PostgreSQL has done what it was told, or refused it, before it ends.
        let _ = carrying.join();
        if fate == BRING_IT_LATE {
            self.has_come_late.store(true, Ordering::SeqCst);
        }
    }
}

/// What one connection says of transactions.
#[derive(Default)]
struct Transactions {
    is_in_one: bool,
}

impl Transactions {
    /// Whether this message commits.
    fn that_it_commits(&mut self, said: &[u8]) -> bool {
        self.is_in_one |= said.get(5..).is_some_and(|text| text.starts_with(BEGIN));
        self.is_in_one &= !said.ends_with(ROLLBACK);
        // A statement that is bound to its values is a commit if it stands alone.
        let is_news = said.windows(NEWS.len()).any(|window| window == NEWS);
        let is_alone = said.starts_with(b"B") && !self.is_in_one && is_news;
        let is_commit = said.ends_with(COMMIT) || is_alone;
        self.is_in_one &= !is_commit;
        is_commit
    }
}

/// A server at the other end of a line, with a stable release.
struct Rig {
    cluster: Arc<Cluster>,
    line: Arc<Line>,
    server: ServerProcess,
    product: Product,
    release: String,
}

impl Rig {
    fn start() -> Self {
        let cluster = Arc::new(Cluster::new());
        cluster.start();
        let (line, port) = Line::lay(&cluster);
        let url = format!("postgres://canary@127.0.0.1:{port}/postgres?sslmode=disable");
        let server = ServerProcess::start_on(PROGRAM, &DatabaseUrl::new(url));
        let product = Product::register(&server, "etl");
        let release = product.release("1").with("is_canary", false).create();
        Self { cluster, line, server, product, release }
    }
}

#[test]
fn what_was_committed_is_known_even_if_the_answer_is_lost() {
    let Rig { cluster, line, server, product, release } = Rig::start();
    for (number, fate) in [LOSE_ITS_ANSWER, LOSE_IT].into_iter().enumerate() {
        let name = format!("product {number}");
        line.next.store(fate, Ordering::SeqCst);
        // Tried again after it was committed, it would be taken: by itself.
        server.post("/product", &Product::body(&name)).expect(201);
        assert_eq!(line.next.load(Ordering::SeqCst), PASS, "a commit was cut");
        server.post("/product", &Product::body(&name)).expect(409);

        line.next.store(fate, Ordering::SeqCst);
        // Without an identifier of its own: counted twice, it would be two signals.
        product.signal("1", "success").send().expect(201);
        assert_eq!(line.next.load(Ordering::SeqCst), PASS, "a commit was cut");
        assert_eq!(counted(&server, &release), number as u64 + 1);
    }
    assert_eq!(SharedDatabase::in_cluster(&cluster).signals().len(), 2);
}

#[test]
fn a_commit_that_comes_late_is_kept_out() {
    let Rig { cluster, line, server, product, .. } = Rig::start();
    // The first one tells PostgreSQL the words of the statement, the next one only the values.
    product.signal("1", "success").send().expect(201);
    let late = line.late.lock().expect("nobody panics while it is held");
    line.next.store(BRING_IT_LATE, Ordering::SeqCst);
    let closed = line.close();
    thread::scope(|scope| {
        let signal = product.signal("1", "success").body().to_string();
        let headers = [("content-type", "application/json")];
        let http: &Http = &server;
        // Nobody tries again: the server is killed.
        scope.spawn(move || {
            let answer = http.send("POST", "/signal", &headers, Some(signal.as_bytes()));
            assert!(answer.is_err(), "{answer:?}");
        });
        line.until_cut();
        server.kill();
    });
    // As a server does that asks what became of it.
    cluster.run("UPDATE idempotency SET fingerprint = '\\xff' WHERE operation = 'commit'");
    drop((late, closed));
    let come = || line.has_come_late.load(Ordering::SeqCst).then_some(());
    eventually("a commit that is late", come);
    assert_eq!(SharedDatabase::in_cluster(&cluster).signals().len(), 1);
}

#[test]
fn a_number_that_postgres_gives_again_after_a_crash_is_nobodys_commit() {
    let Rig { cluster, line, server, product, release } = Rig::start();
    // All that was done before is in the log.
    cluster.run("CHECKPOINT");
    line.next.store(LOSE_IT, Ordering::SeqCst);
    let closed = line.close();
    thread::scope(|scope| {
        let sending = scope.spawn(|| product.signal("1", "success").send());
        line.until_cut();
        cluster.stop(Ending::Immediate);
        cluster.start();
        for _ in 0..20 {
            cluster.run("SELECT pg_current_xact_id()");
        }
        drop(closed);
        sending.join().expect("a sender").expect(201);
    });
    assert_eq!(counted(&server, &release), 1);
    assert_eq!(SharedDatabase::in_cluster(&cluster).signals().len(), 1);
}

fn counted(http: &Http, release: &str) -> u64 {
    http.signals(release)["total"].as_u64().expect("a count")
}
