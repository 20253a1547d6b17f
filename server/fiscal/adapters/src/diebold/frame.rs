//! Frames of the web service: `STX json ETX LF`, one request or answer each. `PingPong` numbers requests; the answer carries the same number.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// What a command says besides its name and number.
pub(crate) type Fields = Map<String, Value>;

/// Fields from pairs.
pub(crate) fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A request. It may hold a password, so it is wiped; what the socket makes of it is not in our hands.
pub(crate) fn request(command: &str, ping: u64, of: &Fields) -> Zeroizing<String> {
    let mut object = of.clone();
    object.insert("Command".to_owned(), Value::from(command));
    object.insert("PingPong".to_owned(), Value::from(ping));
    Zeroizing::new(format!("\u{2}{}\u{3}\n", Value::Object(object)))
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The number of the request it answers.
    pub ping: u64,
    /// The command it answers.
    pub command: String,
    /// All of it.
    pub body: Fields,
}

/// Reads an answer; nothing where it is none. The last line feed may be missing, as in older versions of the service.
pub(crate) fn answer(text: &str) -> Option<Answer> {
    let inner = text.strip_prefix('\u{2}')?;
    let inner = inner.strip_suffix('\n').unwrap_or(inner).strip_suffix('\u{3}')?;
    let body: Fields = serde_json::from_str(inner).ok()?;
    Some(Answer {
        ping: body.get("PingPong")?.as_u64()?,
        command: body.get("Command")?.as_str()?.to_owned(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_framed_and_numbered() {
        let text = request("PingPong", 5, &fields([("ClientID", json!("TILL-1"))]));
        assert_eq!(
            text.as_str(),
            "\u{2}{\"ClientID\":\"TILL-1\",\"Command\":\"PingPong\",\"PingPong\":5}\u{3}\n"
        );
        assert_eq!(answer(&text).unwrap().ping, 5);
    }

    #[test]
    fn what_is_not_an_answer_is_not_read_as_one() {
        for text in [
            "",
            "{}",
            "\u{2}{}\u{3}\n",
            "\u{2}{\"Command\":\"PingPong\",\"PingPong\":5}\n",
            "\u{2}{\"Command\":\"PingPong\",\"PingPong\":\"5\"}\u{3}\n",
            "\u{2}[5]\u{3}\n",
            "\u{2}{\"PingPong\":5}\u{3}",
        ] {
            assert_eq!(answer(text), None, "{text:?}");
        }
        assert!(answer("\u{2}{\"Command\":\"x\",\"PingPong\":0}\u{3}").is_some());
    }
}
