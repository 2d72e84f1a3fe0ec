//! HTTP as the load speaks it: keep-alive HTTP/1.1 over plain TCP, answers with a
//! `Content-Length`.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bytes of a GET.
pub fn get(path: &str) -> Vec<u8> {
    let mut request = Vec::new();
    put_get(&mut request, format_args!("{path}"));
    request
}

/// Appends a GET.
pub fn put_get(request: &mut Vec<u8>, path: fmt::Arguments<'_>) {
    use io::Write as _;
    // Writing to a `Vec` cannot fail.
    let _ = write!(request, "GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
}

/// Appends a POST.
pub fn put_post(request: &mut Vec<u8>, path: fmt::Arguments<'_>, content_type: &str, body: &str) {
    use io::Write as _;
    let length = body.len();
    let _ = write!(
        request,
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
}

/// What a server answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    /// What a busy server asks for, in seconds.
    pub retry_after_s: Option<u64>,
    pub body: &'a [u8],
}

/// Status and problem document, for people.
impl fmt::Display for Answer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = &self.body[..self.body.len().min(1_000)];
        write!(formatter, "answered {}: {}", self.status, String::from_utf8_lossy(body))
    }
}

/// A kept connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects; small requests are not held back for more.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends one request, and reads its whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(head) = Head::read(&self.answer)? {
                break head;
            }
        };
        let end = head.length + head.body_length;
        while self.answer.len() < end {
            self.read_more().await?;
        }
        if self.answer.len() > end {
            return Err(bad("more was answered than was asked"));
        }
        let Head { status, retry_after_s, length, .. } = head;
        Ok(Answer { status, retry_after_s, body: &self.answer[length..] })
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What is needed of the head of an answer.
struct Head {
    status: u16,
    retry_after_s: Option<u64>,
    /// With the empty line, in bytes.
    length: usize,
    body_length: usize,
}

impl Head {
    /// `None` while the head is not complete.
    fn read(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = str::from_utf8(&bytes[..end]).map_err(|_| bad("the head is no text"))?;
        let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body_length = field(fields, "content-length").and_then(|value| value.parse().ok());
        let retry_after_s = field(fields, "retry-after").and_then(|value| value.parse().ok());
        match (status, body_length) {
            (Some(status), Some(body_length)) => {
                Ok(Some(Self { status, retry_after_s, length: end + 4, body_length }))
            }
            _ => Err(bad("no status or no content length")),
        }
    }
}

fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = fields.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
