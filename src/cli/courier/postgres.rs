//! As much of PostgreSQL's protocol (version 3) as one COPY takes: startup, password (clear, MD5, SCRAM-SHA-256), a simple query, its data.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use crate::engine::firehose::outward::{Answer, TableLoad};

use super::PATIENCE;

/// Bytes of one message at most.
const MESSAGE_MAX: usize = 1 << 20;
/// Bytes of one CopyData message.
const CHUNK: usize = 64 << 10;
/// Rounds of SCRAM at most.
const ROUNDS_MAX: u32 = 1_000_000;

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    user: String,
    password: String,
    host: String,
    port: u16,
    database: String,
}

/// A connection, or anything that behaves like one.
struct Wire<S>(S);

/// `postgres://user:password@host:port/database`, user and password of the destination where the URL has none.
fn place(load: &TableLoad) -> Result<Place> {
    let wrong = || Error::new(ErrorKind::InvalidInput, "expected postgres://user:password@host:port/database");
    let (_, rest) = load.url.split_once("://").ok_or_else(wrong)?;
    let (login, rest) = rest.rsplit_once('@').map_or((None, rest), |(login, rest)| (Some(login), rest));
    let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (host, 5432),
    };
    let (user, password) = match login {
        Some(login) => login.split_once(':').unwrap_or((login, "")),
        None => (load.login.0.as_str(), load.login.1.as_str()),
    };
    if host.is_empty() || user.is_empty() {
        return Err(wrong());
    }
    let database = if database.is_empty() { user } else { database };
    Ok(Place { user: user.to_owned(), password: password.to_owned(), host: host.to_owned(), port, database: database.to_owned() })
}

/// Loads rows into a table: all of them, or none.
pub(super) fn load(load: &TableLoad) -> Result<Answer> {
    let place = place(load)?;
    let address =
        (place.host.as_str(), place.port).to_socket_addrs()?.next().ok_or_else(|| Error::other(format!("{} has no address", place.host)))?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    talk(Wire(stream), &place, load)
}

fn talk<S: Read + Write>(mut wire: Wire<S>, place: &Place, load: &TableLoad) -> Result<Answer> {
    let mut startup = 196_608u32.to_be_bytes().to_vec();
    for text in ["user", &place.user, "database", &place.database, "application_name", "kinlab", "client_encoding", "UTF8", ""] {
        startup.extend_from_slice(text.as_bytes());
        startup.push(0);
    }
    wire.send(None, &startup)?;
    let mut scram = None;
    loop {
        let (kind, body) = wire.receive()?;
        match kind {
            b'R' => wire.authenticate(place, &body, &mut scram)?,
            b'E' => return Ok(refusal(&body)),
            b'Z' => break,
            _ => {}
        }
    }
    wire.send(Some(b'Q'), &[load.statement.as_bytes(), b"\0"].concat())?;
    let mut answer = Answer::Loaded;
    loop {
        let (kind, body) = wire.receive()?;
        match kind {
            b'G' => {
                for chunk in load.body.chunks(CHUNK) {
                    wire.send(Some(b'd'), chunk)?;
                }
                wire.send(Some(b'c'), b"")?;
            }
            b'E' => answer = refusal(&body),
            b'Z' => break,
            _ => {}
        }
    }
    // A goodbye that does not arrive changes nothing.
    let _ = wire.send(Some(b'X'), b"");
    Ok(answer)
}

/// SQLSTATE and message of an ErrorResponse.
fn refusal(body: &[u8]) -> Answer {
    let field = |wanted: u8| {
        let mut parts = body.split(|byte| *byte == 0);
        parts.find(|part| part.first() == Some(&wanted)).map_or_else(String::new, |part| String::from_utf8_lossy(&part[1..]).into_owned())
    };
    Answer::Refused(field(b'C'), field(b'M'))
}

/// A nonce of one exchange: it keeps nothing secret here, it only must not repeat.
#[allow(clippy::disallowed_methods, reason = "it must differ from run to run, and nothing of the world depends on it")]
fn nonce() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    STANDARD.encode(&Sha256::digest([now.to_le_bytes().as_slice(), &std::process::id().to_le_bytes()].concat())[..18])
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// A SCRAM-SHA-256 exchange: what was said, and what the server must prove.
struct Scram {
    first: String,
    nonce: String,
    proof: Option<Vec<u8>>,
}

impl Scram {
    fn new(nonce: String) -> Self {
        Self { first: format!("n=,r={nonce}"), nonce, proof: None }
    }

    /// The answer to the server's first message.
    fn answer(&mut self, password: &str, server: &str) -> Result<String> {
        let wrong = || Error::new(ErrorKind::InvalidData, "the server's SCRAM message cannot be read");
        let part = |name: &str| server.split(',').find_map(|part| part.strip_prefix(name)).ok_or_else(wrong);
        let (nonce, salt, rounds) = (part("r=")?, part("s=")?, part("i=")?);
        let salt = STANDARD.decode(salt).map_err(|_| wrong())?;
        let rounds: u32 = rounds.parse().ok().filter(|rounds| (1..=ROUNDS_MAX).contains(rounds)).ok_or_else(wrong)?;
        if !nonce.starts_with(&self.nonce) {
            return Err(wrong());
        }
        let mut block = hmac(password.as_bytes(), &[&salt, &1u32.to_be_bytes()]);
        let mut salted = block.clone();
        for _ in 1..rounds {
            block = hmac(password.as_bytes(), &[&block]);
            salted = xor(&salted, &block);
        }
        let client_key = hmac(&salted, &[b"Client Key"]);
        let bare = format!("c=biws,r={nonce}");
        let all = format!("{},{server},{bare}", self.first);
        let signature = hmac(&Sha256::digest(&client_key), &[all.as_bytes()]);
        self.proof = Some(hmac(&hmac(&salted, &[b"Server Key"]), &[all.as_bytes()]));
        Ok(format!("{bare},p={}", STANDARD.encode(xor(&client_key, &signature))))
    }

    /// The server knows the password, too.
    fn is_proven(&self, server: &str) -> bool {
        let signature = server.split(',').find_map(|part| part.strip_prefix("v=")).and_then(|text| STANDARD.decode(text).ok());
        signature.is_some() && signature == self.proof
    }
}

impl<S: Read + Write> Wire<S> {
    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> Result<()> {
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        message.extend_from_slice(body);
        self.0.write_all(&message)?;
        self.0.flush()
    }

    fn receive(&mut self) -> Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !(4..=MESSAGE_MAX).contains(&length) {
            return Err(Error::new(ErrorKind::InvalidData, "this is no PostgreSQL server"));
        }
        let mut body = vec![0; length - 4];
        self.0.read_exact(&mut body)?;
        Ok((head[0], body))
    }

    fn authenticate(&mut self, place: &Place, body: &[u8], scram: &mut Option<Scram>) -> Result<()> {
        let (code, rest) = body.split_at_checked(4).ok_or_else(|| Error::new(ErrorKind::InvalidData, "a short authentication request"))?;
        let text = String::from_utf8_lossy(rest);
        match code[3] {
            0 => Ok(()),
            3 => self.send(Some(b'p'), &[place.password.as_bytes(), b"\0"].concat()),
            5 => {
                let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                let inner = hex(&Md5::digest([place.password.as_bytes(), place.user.as_bytes()].concat()));
                let outer = hex(&Md5::digest([inner.as_bytes(), rest].concat()));
                self.send(Some(b'p'), format!("md5{outer}\0").as_bytes())
            }
            10 if text.split('\0').any(|mechanism| mechanism == "SCRAM-SHA-256") => {
                let begun = Scram::new(nonce());
                let first = format!("n,,{}", begun.first);
                *scram = Some(begun);
                let mut message = b"SCRAM-SHA-256\0".to_vec();
                message.extend_from_slice(&(first.len() as u32).to_be_bytes());
                message.extend_from_slice(first.as_bytes());
                self.send(Some(b'p'), &message)
            }
            11 => {
                let scram = scram.as_mut().ok_or_else(|| Error::new(ErrorKind::InvalidData, "SCRAM goes on that never began"))?;
                let answer = scram.answer(&place.password, &text)?;
                self.send(Some(b'p'), answer.as_bytes())
            }
            12 if scram.as_ref().is_some_and(|scram| scram.is_proven(&text)) => Ok(()),
            12 => Err(Error::new(ErrorKind::PermissionDenied, "the server could not prove that it knows the password")),
            other => Err(Error::new(ErrorKind::Unsupported, format!("the server wants authentication of kind {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, whose user name PostgreSQL leaves out.
    #[test]
    fn scram_answers_as_the_rfc_says() {
        let mut scram = Scram { first: "n=user,r=rOprNGfwEbeRWgbNEkqO".to_owned(), nonce: "rOprNGfwEbeRWgbNEkqO".to_owned(), proof: None };
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.answer("pencil", server).expect("readable"),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(scram.is_proven("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!scram.is_proven("v=AAAA"));
        assert!(Scram::new("abc".to_owned()).answer("p", "r=xyz,s=AAAA,i=1").is_err());
    }

    fn rows(url: &str) -> TableLoad {
        TableLoad { url: url.to_owned(), login: ("u".to_owned(), "p".to_owned()), statement: "COPY t FROM STDIN".to_owned(), body: b"1\n".to_vec() }
    }

    #[test]
    fn urls_say_where_and_who() {
        let found = place(&rows("postgres://a:b@h:6000/d")).expect("good");
        assert_eq!(found, Place { user: "a".into(), password: "b".into(), host: "h".into(), port: 6000, database: "d".into() });
        let found = place(&rows("postgres://h")).expect("good");
        assert_eq!((found.user.as_str(), found.port, found.database.as_str()), ("u", 5432, "u"));
        assert!(place(&rows("postgres://h:x/d")).is_err());
    }

    /// A server that has said everything already, and what it was told.
    struct Scripted(std::io::Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Scripted {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn server(messages: &[(u8, &[u8])]) -> Wire<Scripted> {
        let mut bytes = Vec::new();
        for (kind, body) in messages {
            bytes.push(*kind);
            bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
            bytes.extend_from_slice(body);
        }
        Wire(Scripted(std::io::Cursor::new(bytes), Vec::new()))
    }

    #[test]
    fn refusals_carry_their_state_and_a_broken_server_is_an_error() {
        let load = rows("postgres://u:p@h/d");
        let place = place(&load).expect("good");
        let ready = (b'Z', &b"I"[..]);
        let good = talk(server(&[(b'R', &[0, 0, 0, 0]), ready, (b'G', &[0, 0, 0]), (b'C', b"COPY 1\0"), ready]), &place, &load);
        assert_eq!(good.expect("answers"), Answer::Loaded);
        let refused = talk(server(&[(b'R', &[0, 0, 0, 0]), ready, (b'E', b"SERROR\0C42P01\0Mno t\0\0"), ready]), &place, &load);
        assert_eq!(refused.expect("answers"), Answer::Refused("42P01".into(), "no t".into()));
        assert!(talk(server(&[(b'H', &[0; 4])]), &place, &load).is_err());
        assert!(talk(server(&[(b'R', &[0, 0, 0, 7])]), &place, &load).is_err());
    }
}
