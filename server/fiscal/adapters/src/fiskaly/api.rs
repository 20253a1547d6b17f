//! Requests to the service: a token that is fresh, an end to every wait, and the same request again where that is harmless.
//!
//! Every request here may be repeated: names and revisions are chosen by us, so that a second one finds the work of the first. What is still not
//! answered when the time is over is [`Fault::Unknown`].

use std::time::{Duration, Instant};

use fiscal::TseError;
use reqwest::{Client, Method, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::timeout_at;
use zeroize::Zeroizing;

use super::{Credentials, Settings, SetupError, Times, tls};

/// The longest answer that is no file.
const ANSWER_MAX_BYTES: usize = 4 << 20;
/// The first wait before a request is repeated; it doubles.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// Where the service does not say when to ask again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A token is renewed this long before its end, or after nine tenths of its life if that is shorter.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    retry_after: Option<Duration>,
}

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Whether it was done is not known.
    Unknown(String),
    /// The service said no.
    Refused(Refusal),
    /// It wants to be left alone for a while.
    Busy(Duration),
    /// It could not be asked.
    Failed(TseError),
}

impl Fault {
    pub fn is(&self, status: u16) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status)
    }

    pub fn is_code(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }

    pub fn into_error(self) -> TseError {
        match self {
            Self::Unknown(why) => TseError::Unavailable(why),
            Self::Busy(after) => TseError::Busy {
                after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            },
            Self::Failed(error) => error,
            Self::Refused(Refusal {
                status, code, message, ..
            }) => TseError::Refused(format!("HTTP {status} {code} ({message})")),
        }
    }
}

#[derive(Deserialize)]
struct Auth {
    access_token: String,
    access_token_expires_in: u64,
    refresh_token: String,
    refresh_token_expires_in: u64,
}

struct Token {
    text: Zeroizing<String>,
    renew_at: Instant,
}

impl Token {
    fn new(text: String, expires_in_s: u64) -> Self {
        let life = Duration::from_secs(expires_in_s);
        Self {
            text: Zeroizing::new(text),
            renew_at: Instant::now() + life.saturating_sub(RENEW_BEFORE.min(life / 10)),
        }
    }

    fn is_fresh(&self) -> bool {
        Instant::now() < self.renew_at
    }
}

pub(super) struct Api {
    client: Client,
    /// The thread of whoever calls is no task of anybody's runtime.
    runtime: Runtime,
    base: String,
    credentials: Credentials,
    times: Times,
    access: Option<Token>,
    refresh: Option<Token>,
    /// Key or secret are wrong; nothing more is sent.
    locked_out: bool,
}

/// What a request is.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub body: Option<&'a Value>,
    /// How long one try may take.
    pub attempt: Duration,
    /// How long all tries together may take.
    pub whole: Duration,
    /// Whether 401, 403 and 423 are about the PIN in the body and not about the token.
    pub shows_pin: bool,
}

impl Api {
    pub fn new(settings: &Settings, credentials: Credentials) -> Result<Self, SetupError> {
        let wrong = |why: &str| SetupError::Address(settings.url.clone(), why.to_owned());
        let url = reqwest::Url::parse(&settings.url).map_err(|error| wrong(&error.to_string()))?;
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(wrong("it has to begin with https://"));
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_millis(settings.times.attempt_ms))
            // Nobody sends a receipt or a PIN on to another address.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(tls::config(settings.authority.as_deref())?)
            .build()
            .map_err(|error| SetupError::Client(error.to_string()))?;
        Ok(Self {
            client,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            base: settings.url.trim_end_matches('/').to_owned(),
            credentials,
            times: settings.times,
            access: None,
            refresh: None,
            locked_out: false,
        })
    }

    /// A request with the usual times.
    pub fn call(&mut self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, Fault> {
        let request = self.request(method, path, body);
        self.ask(request)
    }

    pub fn request<'a>(&self, method: &'a Method, path: &'a str, body: Option<&'a Value>) -> Request<'a> {
        Request {
            method,
            path,
            body,
            attempt: Duration::from_millis(self.times.attempt_ms),
            whole: Duration::from_millis(self.times.call_ms),
            shows_pin: false,
        }
    }

    /// Asks until there is an answer or the time is over.
    pub fn ask(&mut self, request: Request<'_>) -> Result<Value, Fault> {
        let deadline = Instant::now() + request.whole;
        let mut backoff = BACKOFF_MIN;
        let mut was_renewed = false;
        loop {
            let token = self.token(deadline)?;
            let until = deadline.min(Instant::now() + request.attempt);
            let fault = match self.send(request, Some(token.as_str()), until) {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            let wait = match &fault {
                Fault::Refused(refusal) => match refusal.status {
                    401 | 403 | 423 if request.shows_pin => return Err(fault),
                    401 if !was_renewed => {
                        (self.access, was_renewed) = (None, true);
                        continue;
                    }
                    401 | 403 => {
                        let why = format!("HTTP {} {}", refusal.status, refusal.code);
                        return Err(Fault::Failed(TseError::AccessDenied(why)));
                    }
                    423 | 429 => {
                        let wait = refusal.retry_after.unwrap_or(RETRY_AFTER).max(backoff);
                        if Instant::now() + wait >= deadline {
                            return Err(Fault::Busy(wait));
                        }
                        wait
                    }
                    // 499: the service gave up the request, which may have been done.
                    499 | 500.. => refusal.retry_after.unwrap_or_default().max(backoff),
                    _ => return Err(fault),
                },
                _ => backoff,
            };
            if Instant::now() + wait >= deadline {
                return Err(match fault {
                    Fault::Refused(refusal) => Fault::Unknown(format!("HTTP {} {}", refusal.status, refusal.code)),
                    other => other,
                });
            }
            std::thread::sleep(wait);
            backoff *= 2;
        }
    }

    /// A token that is good for a while.
    fn token(&mut self, deadline: Instant) -> Result<Zeroizing<String>, Fault> {
        if self.locked_out {
            let why = "the API key or its secret is wrong; nothing more is sent".to_owned();
            return Err(Fault::Failed(TseError::AccessDenied(why)));
        }
        if let Some(access) = self.access.as_ref().filter(|token| token.is_fresh()) {
            return Ok(access.text.clone());
        }
        let refresh = self.refresh.take().filter(Token::is_fresh);
        let mut bodies = Vec::new();
        if let Some(refresh) = &refresh {
            bodies.push(json!({"refresh_token": refresh.text.as_str()}));
        }
        let Credentials {
            api_key, api_secret, ..
        } = &self.credentials;
        bodies.push(json!({"api_key": api_key.expose(), "api_secret": api_secret.expose()}));
        let last = bodies.len() - 1;
        for (at, body) in bodies.iter().enumerate() {
            match self.authenticate(body, deadline) {
                Ok(auth) => {
                    self.refresh = Some(Token::new(auth.refresh_token, auth.refresh_token_expires_in));
                    let access = Token::new(auth.access_token, auth.access_token_expires_in);
                    let text = access.text.clone();
                    self.access = Some(access);
                    return Ok(text);
                }
                Err(fault) if fault.is(401) && at < last => {}
                Err(fault) if fault.is(401) || fault.is(403) => {
                    self.locked_out = true;
                    let why = "the API key or its secret is wrong".to_owned();
                    return Err(Fault::Failed(TseError::AccessDenied(why)));
                }
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::Unknown("no token".to_owned()))
    }

    fn authenticate(&self, body: &Value, deadline: Instant) -> Result<Auth, Fault> {
        let mut backoff = BACKOFF_MIN;
        loop {
            let mut request = self.request(&Method::POST, "/auth", Some(body));
            request.shows_pin = true;
            let until = deadline.min(Instant::now() + request.attempt);
            let fault = match self.send(request, None, until) {
                Ok(value) => {
                    let unreadable = |_| Fault::Unknown("the answer to a login cannot be read".to_owned());
                    return serde_json::from_value(value).map_err(unreadable);
                }
                Err(fault) => fault,
            };
            let wait = match &fault {
                Fault::Refused(refusal) if refusal.status < 429 => return Err(fault),
                Fault::Refused(refusal) => refusal.retry_after.unwrap_or_default().max(backoff),
                _ => backoff,
            };
            if Instant::now() + wait >= deadline {
                return Err(match fault {
                    Fault::Refused(refusal) if refusal.status == 429 => Fault::Busy(wait),
                    Fault::Refused(refusal) => Fault::Unknown(format!("HTTP {} at the login", refusal.status)),
                    other => other,
                });
            }
            std::thread::sleep(wait);
            backoff *= 2;
        }
    }

    fn send(&self, request: Request<'_>, token: Option<&str>, until: Instant) -> Result<Value, Fault> {
        let Request { method, path, body, .. } = request;
        let mut builder = self.client.request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = token {
            builder = builder.bearer_auth(token);
        }
        if let Some(body) = body {
            builder = builder
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let done = self.runtime.block_on(async {
            timeout_at(until.into(), async { read(builder.send().await.map_err(lost)?).await }).await
        });
        let done = done.unwrap_or_else(|_| Err(Fault::Unknown("no answer in time".to_owned())));
        if let Err(fault) = &done {
            tracing::debug!(%method, path, ?fault, "the service did not do it");
        }
        done
    }

    /// Writes the file at a path, piece by piece. Each piece has the time of a try.
    pub fn download(&mut self, path: &str, whole: Duration, to: &mut dyn std::io::Write) -> Result<u64, Fault> {
        let deadline = Instant::now() + whole;
        let token = self.token(deadline)?;
        let builder = self
            .client
            .get(format!("{}{path}", self.base))
            .bearer_auth(token.as_str());
        let attempt = Duration::from_millis(self.times.attempt_ms);
        let soon = || deadline.min(Instant::now() + attempt).into();
        let late = || Fault::Unknown("the file did not go on in time".to_owned());
        self.runtime.block_on(async {
            let mut answer = timeout_at(soon(), builder.send())
                .await
                .map_err(|_| late())?
                .map_err(lost)?;
            if !answer.status().is_success() {
                return Err(timeout_at(soon(), read(answer))
                    .await
                    .map_err(|_| late())?
                    .err()
                    .unwrap_or_else(late));
            }
            let mut written = 0;
            while let Some(piece) = timeout_at(soon(), answer.chunk())
                .await
                .map_err(|_| late())?
                .map_err(lost)?
            {
                let failed = |error| TseError::Refused(format!("the export cannot be written: {error}"));
                to.write_all(&piece).map_err(|error| Fault::Failed(failed(error)))?;
                written += piece.len() as u64;
            }
            Ok(written)
        })
    }
}

fn lost(error: reqwest::Error) -> Fault {
    // Without the causes it says no more than "error sending request".
    let cause = std::error::Error::source(&error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    Fault::Unknown(format!("{}{cause}", error.without_url()))
}

async fn read(mut answer: Response) -> Result<Value, Fault> {
    let status = answer.status();
    let retry_after = answer
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok());
    let retry_after = retry_after
        .and_then(|value| value.parse().ok())
        .map(Duration::from_secs);
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(piece) = answer.chunk().await.map_err(lost)? {
        if bytes.len() + piece.len() > ANSWER_MAX_BYTES {
            return Err(Fault::Unknown("the answer is too long".to_owned()));
        }
        bytes.extend_from_slice(&piece);
    }
    let value: Result<Value, _> = serde_json::from_slice(&bytes);
    if status.is_success() {
        return value.map_err(|_| Fault::Unknown("the answer cannot be read".to_owned()));
    }
    let value = value.unwrap_or_default();
    let text = |name: &str| {
        let text = value.get(name).and_then(Value::as_str).unwrap_or_default();
        text.chars().take(100).collect::<String>()
    };
    let code = text("code");
    // A page of some gateway on the way must not pass for "there is no such transaction".
    if code.is_empty() && matches!(status.as_u16(), 400 | 402 | 404..423) {
        return Err(Fault::Unknown(format!(
            "HTTP {status} from something that is not the service"
        )));
    }
    Err(Fault::Refused(Refusal {
        status: status.as_u16(),
        code,
        message: text("message"),
        retry_after,
    }))
}
