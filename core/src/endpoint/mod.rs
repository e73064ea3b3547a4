//! The calls as data, one module per resource. No I/O happens here.
//!
//! Each call is described once. [`Endpoint::CALL`] gives its name, method and path, the credentials that it accepts, and whether it is sent
//! again after a failure. [`Endpoint::params`] writes the parameters, and [`Endpoint::decode`] reads the response. The clients in every
//! language use these descriptions.

pub mod geo;
pub mod hostname;
pub mod ip;
pub mod proxy;
pub mod sub_account;
pub mod token;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, DeserializeOwned};
use std::{
    any::Any,
    fmt::{self, Write as _},
};
use zeroize::Zeroizing;

/// The list of all calls, one row each, in the order of docs/api.md, "Calls". A row gives the resource and verb of the call, its endpoint,
/// what the verb takes, and `of` if the call can be made for a sub-account. Whatever needs every call is generated from this list: `$with`
/// is a macro that takes the rows.
macro_rules! for_each_call {
    ($with:ident) => {
        $with! {
            sub_accounts.create: sub_account::Create(NewSubAccount);
            sub_accounts.edit: sub_account::Edit(SubAccountEdit);
            sub_accounts.get: sub_account::Get(Username);
            sub_accounts.deactivate: sub_account::Deactivate(Username);
            sub_accounts.activate: sub_account::Activate(Username);
            sub_accounts.delete: sub_account::Delete(Username);
            ips.add: ip::Add(NewIp) of;
            ips.delete: ip::Delete(IpAddress) of;
            ips.list: ip::List() of;
            ips.labels: ip::Labels() of;
            hostnames.add: hostname::Add(Hostname) of;
            hostnames.delete: hostname::Delete(Hostname) of;
            hostnames.list: hostname::List();
            proxies.list: proxy::List();
            proxies.add: proxy::Add(ProxyHost);
            proxies.delete: proxy::Delete(ProxyHost);
            tokens.list: token::List() of;
            tokens.create: token::Create(TokenRequest) of;
            tokens.deactivate: token::Deactivate(TokenId) of;
            tokens.activate: token::Activate(TokenId) of;
            tokens.delete: token::Delete(TokenId) of;
            geo.open: geo::Open();
            geo.world: geo::World();
        }
    };
}
#[cfg(any(test, fuzzing, feature = "testing"))]
pub(crate) use for_each_call;

macro_rules! registry {
    ($( $resource:ident.$verb:ident: $module:ident::$endpoint:ident $input:tt $($of:ident)?; )*) => {
        /// Every call, in the order of docs/api.md, "Calls".
        pub const CALLS: &[&Call] = &[ $( $module::$endpoint::CALL ),* ];
    };
}
for_each_call!(registry);

/// One call of the API. A value of an implementing type is a request that can be sent.
///
/// All implementations are in this module. The trait is public for code that sends calls in a way of its own; see
/// [`Dispatch`](crate::resource::Dispatch).
pub trait Endpoint: Send + Sync + 'static {
    /// What a successful call returns.
    type Response: Send + 'static;

    /// The call, as described in docs/api.md, "Calls".
    const CALL: &'static Call;

    /// Writes the parameters: the query of a GET, or the form of a POST.
    fn params(&self, params: &mut Params);

    /// Reads the body of a successful response.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if the body is not what the call should return.
    fn decode(body: &[u8]) -> Result<Self::Response, Mismatch>;

    /// For a [`Replay::Verifiable`] call: the read that shows whether the call took effect. `None` if no read can show it.
    fn read_back(&self) -> Option<ReadBack<Self::Response>> {
        None
    }
}

/// The fixed properties of a call.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// Its name in every language, such as `sub_accounts.get`.
    pub name: &'static str,
    /// GET or POST.
    pub method: Method,
    /// Its path, which ends with a slash.
    pub path: &'static str,
    /// The credentials that it accepts.
    pub auth: Auth,
    /// Whether it is sent again after an ambiguous failure.
    pub replay: Replay,
    /// The meaning of a status for this call in particular, if docs/api.md, "Calls", gives one.
    pub documented: &'static [(u16, &'static str)],
    /// For a verifiable call: the statuses that may mean that it was already carried out.
    pub already_applied: &'static [u16],
    /// How to find out whether the call was carried out, if that is unknown.
    pub recovery_hint: &'static str,
    /// Whether the response contains a secret, which no error may show.
    pub secret_response: bool,
}

/// The HTTP method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET, with the parameters in the query.
    Get,
    /// POST, with the parameters in a form-encoded body.
    Post,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
        })
    }
}

/// The credentials that a call accepts (docs/api.md, "Authentication").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A username and password, or a token.
    Any,
    /// Only a username and password.
    BasicOnly,
}

/// Whether a call is sent again after an ambiguous failure. A failure is ambiguous if the request may have reached the service, but no
/// usable response came back. If a call was certainly not carried out, as after a 429, it may be sent again in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The call changes nothing, so it is sent again.
    Read,
    /// Sending the call twice has the same effect as sending it once, so it is sent again.
    Idempotent,
    /// The call is sent again. If the response then says that it was already carried out, the client looks that up.
    Verifiable,
    /// The call is not sent again.
    Once,
}

impl Call {
    const fn get(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            method: Method::Get,
            path,
            auth: Auth::Any,
            replay: Replay::Read,
            documented: &[],
            already_applied: &[],
            recovery_hint: "",
            secret_response: false,
        }
    }

    const fn post(name: &'static str, path: &'static str, replay: Replay) -> Self {
        Self { method: Method::Post, replay, ..Self::get(name, path) }
    }

    const fn basic_only(self) -> Self {
        Self { auth: Auth::BasicOnly, ..self }
    }

    const fn documented(self, documented: &'static [(u16, &'static str)]) -> Self {
        Self { documented, ..self }
    }

    const fn already_applied(self, already_applied: &'static [u16]) -> Self {
        Self { already_applied, ..self }
    }

    const fn recovery_hint(self, recovery_hint: &'static str) -> Self {
        Self { recovery_hint, ..self }
    }

    const fn secret_response(self) -> Self {
        Self { secret_response: true, ..self }
    }
}

/// The parameters of one request, form-encoded as they are added.
pub struct Params {
    encoded: String,
    secrets: Vec<SecretString>,
}

/// Larger than any valid form, so the buffer never grows. Growing it would leave a copy of a password in memory.
const LARGEST_FORM: usize = 8192;

impl Params {
    fn new() -> Self {
        Self { encoded: String::new(), secrets: Vec::new() }
    }

    /// Adds a parameter.
    pub fn add(&mut self, name: &str, value: impl fmt::Display) {
        self.begin(name);
        // Writing to a string does not fail.
        let _ = write!(Encoding(&mut self.encoded), "{value}");
    }

    /// Adds a parameter, if there is a value.
    pub fn add_some(&mut self, name: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Adds a parameter that no error may show, even if the service echoes it.
    pub fn add_secret(&mut self, name: &str, value: Option<&SecretString>) {
        if let Some(value) = value {
            self.encoded.reserve(LARGEST_FORM);
            self.begin(name);
            let _ = Encoding(&mut self.encoded).write_str(value.expose_secret());
            self.secrets.push(value.clone());
        }
    }

    fn begin(&mut self, name: &str) {
        match self.encoded.is_empty() {
            true => self.encoded.reserve(128),
            false => self.encoded.push('&'),
        }
        self.encoded.push_str(name);
        self.encoded.push('=');
    }
}

/// Form-encodes what is written to it.
struct Encoding<'a>(&'a mut String);

impl fmt::Write for Encoding<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(form_urlencoded::byte_serialize(text.as_bytes()));
        Ok(())
    }
}

/// A request that is ready to be sent: an endpoint without its type.
#[derive(Clone)]
pub struct Request {
    pub(crate) call: &'static Call,
    /// The parameters of a GET.
    pub(crate) query: String,
    /// The parameters of a POST. If they contain a secret, they are wiped when the last copy is dropped.
    pub(crate) form: Bytes,
    pub(crate) secrets: Vec<SecretString>,
}

impl Request {
    /// The request of a call.
    pub fn of<E: Endpoint>(endpoint: &E) -> Self {
        let mut params = Params::new();
        endpoint.params(&mut params);
        Self::with(E::CALL, params)
    }

    fn with(call: &'static Call, params: Params) -> Self {
        let Params { encoded, secrets } = params;
        let (query, form) = match call.method {
            Method::Get => (encoded, Bytes::new()),
            Method::Post if secrets.is_empty() => (String::new(), Bytes::from(encoded)),
            Method::Post => (String::new(), Bytes::from_owner(Zeroizing::new(encoded.into_bytes()))),
        };
        Self { call, query, form, secrets }
    }

    /// The call.
    #[must_use]
    pub fn call(&self) -> &'static Call {
        self.call
    }

    /// The names and values of the parameters, in the order in which they are sent. A secret is `[redacted]`.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let encoded = match self.call.method {
            Method::Get => self.query.as_bytes(),
            Method::Post => &self.form,
        };
        let shown = |value: String| {
            let secret = self.secrets.iter().any(|secret| *secret.expose_secret() == *value);
            if secret { "[redacted]".to_owned() } else { value }
        };
        let parameters = form_urlencoded::parse(encoded);
        parameters.map(|(name, value)| (name.into_owned(), shown(value.into_owned()))).collect()
    }
}

/// A response without its type.
pub(crate) type AnyResponse = Box<dyn Any + Send>;

/// An endpoint without its type: what is needed to send it. With it, the sending code is compiled once, not once per call.
pub(crate) trait Sendable: Send + Sync {
    fn request(&self) -> Request;
    /// See [`Endpoint::decode`].
    fn decode(&self, body: &[u8]) -> Result<AnyResponse, Mismatch>;
    /// See [`Endpoint::read_back`].
    fn read_back(&self) -> Option<ReadBack<AnyResponse>>;
}

impl<E: Endpoint> Sendable for E {
    fn request(&self) -> Request {
        Request::of(self)
    }

    fn decode(&self, body: &[u8]) -> Result<AnyResponse, Mismatch> {
        E::decode(body).map(|response| Box::new(response) as AnyResponse)
    }

    fn read_back(&self) -> Option<ReadBack<AnyResponse>> {
        let ReadBack { request, verify } = Endpoint::read_back(self)?;
        let verify = move |found: Found<&[u8]>| {
            Ok(match verify(found)? {
                Finding::Confirmed(response) => Finding::Confirmed(Box::new(response) as AnyResponse),
                Finding::Refuted => Finding::Refuted,
                Finding::Unclear => Finding::Unclear,
            })
        };
        Some(ReadBack { request, verify: Box::new(verify) })
    }
}

/// Why a body is not what a call should return.
#[derive(Debug)]
pub struct Mismatch(pub(crate) serde_json::Error);

impl Mismatch {
    /// The reason in words. It quotes parts of the body only if `quote` is set.
    pub(crate) fn reason(&self, quote: bool) -> String {
        let Self(error) = self;
        if quote {
            error.to_string()
        } else if error.line() == 0 {
            // It is not text.
            "it is not the expected JSON".to_owned()
        } else {
            format!("it is not the expected JSON (line {}, column {})", error.line(), error.column())
        }
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Mismatch> {
    // This checks the encoding once, and not for each string.
    std::str::from_utf8(body).map_err(de::Error::custom).and_then(serde_json::from_str).map_err(Mismatch)
}

/// The response of a call that promises none. Any body is accepted.
#[allow(clippy::unnecessary_wraps)]
fn nothing(_body: &[u8]) -> Result<(), Mismatch> {
    Ok(())
}

/// A read, and how to decide from its response whether a write took effect.
pub struct ReadBack<A> {
    pub(crate) request: Request,
    pub(crate) verify: Verify<A>,
}

type Verify<A> = Box<dyn FnOnce(Found<&[u8]>) -> Result<Finding<A>, Mismatch> + Send>;

/// What a read found.
pub enum Found<T> {
    /// A response.
    Response(T),
    /// 404: not found.
    Nothing,
}

/// What a read shows about the write before it.
pub enum Finding<A> {
    /// The write took effect. This is its response.
    Confirmed(A),
    /// The write did not take effect.
    Refuted,
    /// The read does not show whether the write took effect.
    Unclear,
}

impl<A> Finding<A> {
    /// `Confirmed` if there is a response, otherwise `Refuted`.
    fn confirmed_if(response: Option<A>) -> Self {
        response.map_or(Self::Refuted, Self::Confirmed)
    }
}

/// What 403 means for calls in which the parent may name a sub-account.
const NOT_THE_PARENT: &[(u16, &str)] = &[(403, "only the parent account may give a username")];

impl<A> ReadBack<A> {
    /// Reads with `probe`. `verify` decides based on what was found.
    fn with<E: Endpoint>(
        probe: &E,
        verify: impl FnOnce(Found<E::Response>) -> Finding<A> + Send + 'static,
    ) -> Option<Self> {
        let verify = move |found: Found<&[u8]>| {
            Ok(verify(match found {
                Found::Response(body) => Found::Response(E::decode(body)?),
                Found::Nothing => Found::Nothing,
            }))
        };
        Some(Self { request: Request::of(probe), verify: Box::new(verify) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_name_of_a_call_is_its_resource_and_verb() {
        macro_rules! check {
            ($( $resource:ident.$verb:ident: $module:ident::$endpoint:ident $input:tt $($of:ident)?; )*) => {
                $( assert_eq!($module::$endpoint::CALL.name, concat!(stringify!($resource), ".", stringify!($verb))); )*
            };
        }
        for_each_call!(check);
    }

    #[test]
    fn the_parameters_of_a_request_can_be_shown() {
        let new =
            crate::NewSubAccount::new("a+b@x").unwrap().password("a b&c").unwrap().email("a+b@x").unwrap();
        let request = Request::of(&sub_account::Create(new));
        let shown = request.parameters();
        let shown: Vec<_> = shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(shown, [("username", "a+b@x"), ("password", "[redacted]"), ("email", "a+b@x")]);
        assert_eq!(request.call().name, "sub_accounts.create");
        let request = Request::of(&ip::List { owner: Some("a+b".try_into().unwrap()) });
        assert_eq!(request.parameters(), [("username".to_owned(), "a+b".to_owned())]);
    }

    #[test]
    fn the_calls_differ_and_every_path_ends_with_a_slash() {
        let names: HashSet<_> = CALLS.iter().map(|call| call.name).collect();
        let paths: HashSet<_> = CALLS.iter().map(|call| call.path).collect();
        assert_eq!((names.len(), paths.len()), (CALLS.len(), CALLS.len()));
        for call in CALLS {
            assert!(call.path.starts_with("/api/") && call.path.ends_with('/'), "{}", call.path);
        }
    }

    #[test]
    fn only_reads_are_get_and_only_token_calls_require_basic() {
        for call in CALLS {
            assert_eq!(call.method == Method::Get, call.replay == Replay::Read, "{}", call.name);
            assert_eq!(call.auth == Auth::BasicOnly, call.name.starts_with("tokens."), "{}", call.name);
        }
    }

    #[test]
    fn a_write_whose_outcome_may_be_unknown_says_how_to_find_out() {
        for call in CALLS {
            let may = call.replay != Replay::Read;
            assert_eq!(!call.recovery_hint.is_empty(), may, "{}", call.name);
            assert_eq!(!call.already_applied.is_empty(), call.replay == Replay::Verifiable, "{}", call.name);
        }
    }
}
