//! Commits whose answers are lost with the connection.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use canary_server::DatabaseUrl;
use canary_tests::{Cluster, Ending, Http, Product, ServerProcess, SharedDatabase, eventually};

const PROGRAM: &str = env!("CARGO_BIN_EXE_canary-test-server");

/// What becomes of the next commit.
const PASS: u8 = 0;
const LOSE_IT: u8 = 1;
const LOSE_ITS_ANSWER: u8 = 2;

/// The message that commits, as it goes over the line.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// A line between a server and its PostgreSQL, which can be cut in the moment of a commit.
struct Line {
    socket: PathBuf,
    /// What becomes of the next commit; then it is [`PASS`] again.
    next: AtomicU8,
    /// Held while nobody gets through.
    closed: Mutex<()>,
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
        while let Ok(read @ 1..) = client.read(&mut bytes) {
            let said = &bytes[..read];
            if said.ends_with(COMMIT) {
                match self.next.swap(PASS, Ordering::SeqCst) {
                    LOSE_IT => break,
                    LOSE_ITS_ANSWER => {
                        // Nothing comes back from here on, and PostgreSQL goes on.
                        let _ = client.shutdown(std::net::Shutdown::Both);
                        let _ = server.write_all(said);
                        break;
                    }
                    _ => {}
                }
            }
            if server.write_all(said).is_err() {
                break;
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = server.shutdown(std::net::Shutdown::Write);
        let _ = carrying.join();
    }
}

#[test]
fn what_was_committed_is_known_even_if_the_answer_is_lost() {
    let cluster = Arc::new(Cluster::new());
    cluster.start();
    let (line, port) = Line::lay(&cluster);
    let url = format!("postgres://canary@127.0.0.1:{port}/postgres?sslmode=disable");
    let server = ServerProcess::start_on(PROGRAM, &DatabaseUrl::new(url));
    let product = Product::register(&server, "etl");
    let release = product.release("1").with("is_canary", false).create();
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
fn a_number_that_postgres_gives_again_after_a_crash_is_nobodys_commit() {
    let cluster = Arc::new(Cluster::new());
    cluster.start();
    let (line, port) = Line::lay(&cluster);
    let url = format!("postgres://canary@127.0.0.1:{port}/postgres?sslmode=disable");
    let server = ServerProcess::start_on(PROGRAM, &DatabaseUrl::new(url));
    let product = Product::register(&server, "etl");
    let release = product.release("1").with("is_canary", false).create();
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
