//! Making a TSS ready for the first time: `CREATED ─▶ UNINITIALIZED ─▶ INITIALIZED`. Done once, by a person, before the first sale.

use std::time::Duration;

use fiscal::TseError;
use reqwest::Method;
use serde_json::{Value, json};

use super::api::Fault;
use super::wire::Tss;
use super::{Fiskaly, Settings};
use crate::secret::Secret;

/// A TSS before its first use.
pub struct Unset<'a>(&'a mut Fiskaly);

impl Fiskaly {
    /// For setting it up.
    pub const fn unset(&mut self) -> Unset<'_> {
        Unset(self)
    }
}

impl Unset<'_> {
    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn change(&mut self, method: &Method, path: &str, body: &Value) -> Result<Value, Fault> {
        let path = format!("/tss/{}{path}", self.settings().tss);
        let whole = Duration::from_millis(self.settings().times.setup_ms);
        let mut request = self.0.api.request(method, &path, Some(body));
        (request.attempt, request.whole) = (whole, whole);
        // A wrong PUK comes as 401 too, and must not be sent again.
        request.shows_pin = true;
        self.0.api.ask(request)
    }

    /// Creates the TSS of the settings, a UUID that you drew. Gives its PUK, which the service shows this one time only: put it into a safe.
    pub fn create(&mut self) -> Result<Secret, TseError> {
        let answer = self.change(&Method::PUT, "", &json!({"metadata": {}}));
        let answer = answer.map_err(Fault::into_error)?;
        let puk = answer.get("admin_puk").and_then(Value::as_str);
        let puk =
            puk.ok_or_else(|| TseError::Refused("it was created before; its PUK is not shown again".to_owned()))?;
        Ok(Secret::new(puk))
    }

    /// Sets the PIN of the settings, and brings it to where tills can be registered. From any state on the way; where it has arrived, nothing is done.
    pub fn initialise(&mut self, puk: &Secret) -> Result<(), TseError> {
        let tss: Tss = self.0.get("").map_err(Fault::into_error)?;
        match tss.state.as_str() {
            "INITIALIZED" => return Ok(()),
            "CREATED" => {
                let deploy = json!({"state": "UNINITIALIZED"});
                self.change(&Method::PATCH, "", &deploy).map_err(Fault::into_error)?;
            }
            "UNINITIALIZED" => {}
            _ => return Err(TseError::Disabled),
        }
        let pin = json!({"admin_puk": puk.expose(), "new_admin_pin": self.0.admin_pin.expose()});
        match self.change(&Method::PATCH, "/admin", &pin) {
            Ok(_) => {}
            Err(fault) if fault.is(401) || fault.is(403) || fault.is(423) => {
                return Err(TseError::AccessDenied("the PUK was refused".to_owned()));
            }
            Err(fault) => return Err(fault.into_error()),
        }
        let path = format!("/tss/{}", self.settings().tss);
        let done = self.0.as_admin(|tss| {
            tss.api
                .call(&Method::PATCH, &path, Some(&json!({"state": "INITIALIZED"})))
        });
        done.map(drop).map_err(Fault::into_error)
    }
}
