//! Who may use a port, and with which policy.

use crate::{policy::Policy, refusal::Refusal};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proxymesh::secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// The policy of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortPolicy {
    /// This one, unless the client's username says otherwise.
    Fixed(Policy),
    /// That of the client's username. A client that sends none is asked for one, because browsers send a username only when they are asked.
    ByUsername,
}

/// What a client has sent.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) username: &'a [u8],
    pub(crate) password: &'a [u8],
}

/// The policy of a connection.
///
/// # Errors
///
/// 407 if the password is wrong, or if the username is not a policy.
pub(crate) fn policy(
    port: &PortPolicy,
    password: Option<&SecretString>,
    given: Option<Given<'_>>,
) -> Result<Policy, Refusal> {
    if let Some(password) = password {
        let sent = given.map_or(&b""[..], |given| given.password);
        // The comparison takes the same time wherever the two differ.
        if !bool::from(sent.ct_eq(password.expose_secret().as_bytes())) {
            return Err(Refusal::new(407, "the gateway's password is missing or wrong"));
        }
    }
    let username = given.map_or(&b""[..], |given| given.username);
    let port = match port {
        PortPolicy::Fixed(policy) if username.is_empty() => return Ok(policy.clone()),
        PortPolicy::Fixed(policy) => policy.clone(),
        PortPolicy::ByUsername if username.is_empty() => {
            return Err(Refusal::new(
                407,
                "send a policy as the username: rotate, country-DE, session-42, or country-DE-session-42",
            ));
        }
        PortPolicy::ByUsername => Policy::rotate(),
    };
    let words = std::str::from_utf8(username).unwrap_or("?");
    port.completed_by(words)
        .map_err(|error| Refusal::new(407, format!("the username is not a policy: {error}")))
}

/// Reads the header `Proxy-Authorization` with Basic credentials into a username and a password.
pub(crate) fn basic(header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    let mut username =
        STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = username.iter().position(|&byte| byte == b':')?;
    let password = username.split_off(colon + 1);
    username.pop();
    Some((username, password))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_password_and_the_username_decide() {
        let rotate = PortPolicy::Fixed(Policy::rotate());
        let secret = SecretString::from("right");
        let given = |username: &'static str, password: &'static str| {
            Some(Given { username: username.as_bytes(), password: password.as_bytes() })
        };
        assert_eq!(policy(&rotate, None, None).unwrap(), Policy::rotate());
        assert_eq!(policy(&rotate, None, given("session-1", "any")).unwrap().to_string(), "session-1");
        assert_eq!(policy(&rotate, Some(&secret), given("", "right")).unwrap(), Policy::rotate());
        for bad in [None, given("", ""), given("", "wrong"), given("", "right "), given("right", "")] {
            assert_eq!(policy(&rotate, Some(&secret), bad).unwrap_err().status, 407);
        }
        assert_eq!(policy(&PortPolicy::ByUsername, None, None).unwrap_err().status, 407);
        let refusal = policy(&rotate, None, given("hunter2", "")).unwrap_err();
        assert!(refusal.status == 407 && !refusal.reason.contains("hunter2"), "{}", refusal.reason);
    }

    #[test]
    fn basic_credentials_are_read() {
        let both = |username: &str, password: &str| Some((username.into(), password.into()));
        assert_eq!(basic(b"Basic c2Vzc2lvbi0xOmE6Yg=="), both("session-1", "a:b"));
        assert_eq!(basic(b"basic  Og=="), both("", ""));
        for bad in ["", "Basic", "Basic !", "Basic YQ==", "Bearer Og=="] {
            assert_eq!(basic(bad.as_bytes()), None, "{bad}");
        }
    }
}
