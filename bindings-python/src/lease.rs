//! `proxymesh.AuthorizedIp` and `proxymesh.FollowedIp`, and the same for asyncio: the core's leases as context managers.

use crate::{
    asyncio::{Awaited, Call},
    blocking::Blocking,
    call::{Caller, Mode, Response, Shared},
    error::{Failure, Result},
    lock::lock,
    log::{self, Log},
};
use proxymesh::{
    Client, Error, Options, Username,
    binding::{Follow, Lease, Unreleased, ip_text},
};
use pyo3::{
    IntoPyObjectExt,
    exceptions::{PyBaseException, PyRuntimeError},
    prelude::*,
    types::{PyString, PyTuple},
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    thread,
};
use tokio::runtime::Handle;

const AUTHORIZED: &str = "ips.authorized";
const FOLLOW: &str = "ips.follow";

/// What is to be authorised.
pub(crate) struct Wanted<T, M> {
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) what: T,
    pub(crate) owner: Option<Username>,
}

/// What a context manager holds inside its block. It keeps the client, which may be closed before the block ends.
struct Inside<T, M> {
    holds: T,
    mode: Arc<M>,
    options: Options,
}

/// The place for what a context manager holds. No Python code runs while it is locked.
type Slot<T, M> = Arc<Mutex<Option<Inside<T, M>>>>;

/// Puts what is held into the slot. Gives it back if another thread or task was faster.
fn keep<T, M>(slot: &Slot<T, M>, inside: Inside<T, M>) -> std::result::Result<(), Inside<T, M>> {
    let mut slot = lock(slot);
    if slot.is_some() {
        return Err(inside);
    }
    *slot = Some(inside);
    Ok(())
}

fn already_entered(method: &str) -> Failure {
    let reason = format!("this context has already been entered; create another one with ips.{method}()");
    PyRuntimeError::new_err(reason).into()
}

fn check_free<T, M>(slot: &Slot<T, M>, method: &str) -> Result<()> {
    if lock(slot).is_some() { Err(already_entered(method)) } else { Ok(()) }
}

/// Enters a lease with a blocking client. If that fails, or Ctrl-C interrupts it, gives back what it holds.
fn enter(caller: &Caller<'_, Blocking>, call: &'static str, lease: &Lease) -> Result<IpAddr> {
    let (client, thread) = (&caller.client, Some(thread::current().id()));
    let entered = caller.wait(call, async { Ok(lease.enter(client, thread).await?) });
    if entered.is_err() {
        // The first exception counts.
        let _ = leave(caller, call, lease, true);
    }
    entered
}

/// Leaves a lease. `quietly` means that the block has already failed: the error is only logged.
fn leave(caller: &Caller<'_, Blocking>, call: &'static str, lease: &Lease, quietly: bool) -> Result<()> {
    let Some(ip) = lease.ip() else { return Ok(()) };
    let (client, thread) = (&caller.client, Some(thread::current().id()));
    match caller.wait(call, async { Ok(lease.release(client, thread).await?) }) {
        Err(Failure::Core(error)) => left(caller.py, Some((ip, error)), quietly),
        result => result,
    }
}

/// Logs and raises what prevented an IP from being removed.
fn left(py: Python<'_>, error: Option<(IpAddr, Error)>, quietly: bool) -> Result<()> {
    let Some((ip, error)) = error else { return Ok(()) };
    log::stays_authorised(py, ip, &error)?;
    if quietly { Ok(()) } else { Err(error.into()) }
}

/// The client for what goes on between calls, and its log.
fn lasting(client: Client) -> (Client, Arc<Log>) {
    let log = Arc::<Log>::default();
    (client.with_observer(log.between_calls()), log)
}

/// A follower, and its log.
struct Following {
    follow: Follow,
    log: Arc<Log>,
}

/// Raises what prevented a follower's IP from being removed. The follower has reported it already. `quietly` means that the block has
/// failed already.
fn closed(py: Python<'_>, log: &Log, error: Option<Error>, quietly: bool) -> Result<()> {
    // The program may exit before another thread logs it.
    log.flush(py)?;
    match error {
        Some(error) if !quietly => Err(error.into()),
        _ => Ok(()),
    }
}

/// An attempt to enter a block with an asyncio client.
struct Entering<T> {
    entered: proxymesh::Result<(IpAddr, T)>,
    /// Why what a failed attempt held could not be given back.
    left: Option<(IpAddr, Error)>,
    slot: Slot<T, Awaited>,
    mode: Arc<Awaited>,
    options: Options,
    method: &'static str,
}

impl<T: Send + 'static> Response for Entering<T> {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        if let Some((ip, error)) = &self.left {
            log::stays_authorised(py, *ip, error)?;
        }
        let (ip, holds) = self.entered.map_err(Failure::Core)?;
        // If another task was faster, dropping what this one holds gives it back.
        let kept = keep(&self.slot, Inside { holds, mode: self.mode, options: self.options });
        kept.map_err(|_| already_entered(self.method))?;
        ip_text(&ip).into_bound_py_any(py)
    }
}

/// The end of a block with an asyncio client.
enum Left {
    /// Why a lease's IP was not removed, and whether the block has failed already.
    Lease(Option<(IpAddr, Error)>, bool),
    /// The same for a follower.
    Follower(Arc<Log>, Option<Error>, bool),
}

impl Response for Left {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Lease(error, quietly) => left(py, error, quietly)?,
            Self::Follower(log, error, quietly) => closed(py, &log, error, quietly)?,
        }
        Ok(py.None().into_bound(py))
    }
}

/// The awaitable that enters a block. `lease` is the claim, and `held` turns it into what the block holds.
fn entering<A, T: Send + 'static>(
    py: Python<'_>,
    (name, call, method): (&'static str, &'static str, &'static str),
    wanted: &Wanted<A, Awaited>,
    slot: &Slot<T, Awaited>,
    lease: Lease,
    held: impl FnOnce(Client, Arc<Log>, IpAddr, Unreleased) -> T + Send + 'static,
) -> Call {
    let made = check_free(slot, method).and_then(|()| Caller::<Awaited>::new(py, &wanted.shared));
    let made = made.map(Caller::warning);
    let (Caller { client, log, mode, .. }, options) = match made {
        Ok(caller) => (caller, wanted.shared.options()),
        Err(failure) => return Call::at_once(name, move |_| Err(failure.into())),
    };
    let slot = slot.clone();
    let work = async move {
        let (lasting, log) = lasting(mode.client().with_options(options)?);
        let unreleased = Unreleased::new(Arc::new(lease), lasting.clone());
        let (entered, left) = match unreleased.lease().enter(&client, None).await {
            Ok(ip) => (Ok((ip, held(lasting, log, ip, unreleased))), None),
            Err(error) => {
                let ip = unreleased.lease().ip();
                let failed = unreleased.lease().release(&client, None).await.err();
                unreleased.disarm();
                (Err(error), ip.zip(failed))
            }
        };
        Ok(Entering { entered, left, slot, mode, options, method })
    };
    Call::of(name, call, log, Box::pin(work))
}

/// The awaitable that leaves a block. `left` gives back what the block holds.
fn leaving<T: Send + 'static, F>(
    py: Python<'_>,
    name: &'static str,
    call: &'static str,
    slot: &Slot<T, Awaited>,
    is_own: impl FnOnce(&T) -> bool,
    left: impl FnOnce(Client, T) -> F,
) -> Call
where
    F: Future<Output = Left> + Send + 'static,
{
    let inside = lock(slot).take();
    let Some(inside) = inside else { return Call::at_once(name, |py| Ok(py.None())) };
    if !is_own(&inside.holds) {
        // The block was entered before a fork. It has not ended in the parent, which the client belongs to.
        std::mem::forget(inside);
        return Call::at_once(name, |py| Ok(py.None()));
    }
    match Caller::of(py, inside.mode, inside.options).map(Caller::warning) {
        Ok(Caller { client, log, .. }) => {
            let left = left(client, inside.holds);
            Call::of(name, call, log, Box::pin(async move { Ok(left.await) }))
        }
        Err(failure) => Call::at_once(name, move |_| Err(failure.into())),
    }
}

/// Whether the block has failed.
fn has_failed(exception: &Bound<'_, PyTuple>) -> bool {
    exception.iter().any(|part| !part.is_none())
}

/// Authorises an IP for the duration of a `with` block. `client.ips.authorized()` creates it.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct AuthorizedIp {
    wanted: Wanted<proxymesh::AuthorizedIp, Blocking>,
    inside: Slot<Lease, Blocking>,
}

impl From<Wanted<proxymesh::AuthorizedIp, Blocking>> for AuthorizedIp {
    fn from(wanted: Wanted<proxymesh::AuthorizedIp, Blocking>) -> Self {
        Self { wanted, inside: Slot::default() }
    }
}

#[pymethods]
impl AuthorizedIp {
    #[pyo3(signature = () -> "str")]
    fn __enter__(&self, py: Python<'_>) -> Result<String> {
        check_free(&self.inside, "authorized")?;
        let caller = Caller::<Blocking>::new(py, &self.wanted.shared)?.warning();
        let lease = Lease::new(self.wanted.what.clone(), self.wanted.owner.clone());
        let ip = enter(&caller, AUTHORIZED, &lease)?;
        let (mode, options) = (caller.mode.clone(), self.wanted.shared.options());
        if let Err(inside) = keep(&self.inside, Inside { holds: lease, mode, options }) {
            leave(&caller, AUTHORIZED, &inside.holds, true)?;
            return Err(already_entered("authorized"));
        }
        Ok(ip_text(&ip))
    }

    #[pyo3(signature = (*exception: "object") -> "None")]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> Result<()> {
        let inside = lock(&self.inside).take();
        let Some(inside) = inside else { return Ok(()) };
        if !inside.holds.is_own() {
            // The block was entered before a fork. It has not ended in the parent, which the client belongs to.
            std::mem::forget(inside);
            return Ok(());
        }
        let caller = Caller::of(py, inside.mode, inside.options)?.warning();
        leave(&caller, AUTHORIZED, &inside.holds, has_failed(exception))
    }
}

/// Authorises an IP for the duration of an `async with` block. `ips.authorized()` of an `AsyncClient` creates it.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct AsyncAuthorizedIp {
    wanted: Wanted<proxymesh::AuthorizedIp, Awaited>,
    inside: Slot<Unreleased, Awaited>,
}

impl From<Wanted<proxymesh::AuthorizedIp, Awaited>> for AsyncAuthorizedIp {
    fn from(wanted: Wanted<proxymesh::AuthorizedIp, Awaited>) -> Self {
        Self { wanted, inside: Slot::default() }
    }
}

#[pymethods]
impl AsyncAuthorizedIp {
    #[pyo3(signature = () -> "Coroutine[Any, Any, str]")]
    fn __aenter__(&self, py: Python<'_>) -> Call {
        let lease = Lease::new(self.wanted.what.clone(), self.wanted.owner.clone());
        let names = ("AsyncAuthorizedIp.__aenter__", AUTHORIZED, "authorized");
        entering(py, names, &self.wanted, &self.inside, lease, |_, _, _, unreleased| unreleased)
    }

    #[pyo3(signature = (*exception: "object") -> "Coroutine[Any, Any, None]")]
    fn __aexit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> Call {
        let quietly = has_failed(exception);
        let own = |unreleased: &Unreleased| unreleased.lease().is_own();
        leaving(
            py,
            "AsyncAuthorizedIp.__aexit__",
            AUTHORIZED,
            &self.inside,
            own,
            move |client, unreleased| async move {
                let ip = unreleased.lease().ip();
                let error = unreleased.release(client).await.err();
                Left::Lease(ip.zip(error), quietly)
            },
        )
    }
}

/// A follower's context manager.
macro_rules! followed {
    ($(#[$attribute:meta])* $name:ident($mode:ty) { $($block:tt)* }) => {
        $(#[$attribute])*
        #[pyclass(frozen, module = "proxymesh")]
        pub(crate) struct $name {
            wanted: Wanted<proxymesh::FollowedIp, $mode>,
            inside: Slot<Following, $mode>,
        }

        impl From<Wanted<proxymesh::FollowedIp, $mode>> for $name {
            fn from(wanted: Wanted<proxymesh::FollowedIp, $mode>) -> Self {
                Self { wanted, inside: Slot::default() }
            }
        }

        #[pymethods]
        impl $name {
            $($block)*

            /// The IP that is authorised now. `None` outside the block.
            #[getter]
            fn ip(&self) -> Option<String> {
                lock(&self.inside).as_ref().map(|inside| ip_text(&inside.holds.follow.ip()))
            }

            /// Why the last check failed. `None` if it worked, and outside the block.
            #[getter]
            fn error(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
                let error = lock(&self.inside).as_ref().and_then(|inside| inside.holds.follow.error())?;
                Some(PyErr::from(Failure::Core(error)).into_value(py))
            }

            /// Whether it is still running. It ends with the block, or if the service rejects the credentials.
            #[getter]
            fn running(&self) -> bool {
                lock(&self.inside).as_ref().is_some_and(|inside| inside.holds.follow.is_running())
            }

            fn __repr__(&self) -> String {
                let ip = self.ip().unwrap_or_else(|| "outside the block".to_owned());
                format!("<proxymesh.{} {ip}>", stringify!($name))
            }
        }
    };
}

followed! {
    /// Keeps this machine's address authorised for the duration of a `with` block. `client.ips.follow()` creates it.
    FollowedIp(Blocking) {
        #[pyo3(signature = () -> "Self")]
        fn __enter__(slf: Py<Self>, py: Python<'_>) -> Result<Py<Self>> {
            let Self { wanted, inside } = slf.get();
            check_free(inside, "follow")?;
            let caller = Caller::<Blocking>::new(py, &wanted.shared)?.warning();
            let lease = Arc::new(wanted.what.first(wanted.owner.clone()));
            let ip = enter(&caller, FOLLOW, &lease)?;
            let options = wanted.shared.options();
            let started = caller.mode.client().with_options(options).and_then(|client| {
                let (client, log) = lasting(client);
                let first = (ip, lease.clone());
                let follow = Follow::in_thread(&client, wanted.what.clone(), wanted.owner.clone(), first)?;
                Ok(Following { follow, log })
            });
            match started {
                Ok(holds) => {
                    let mode = caller.mode.clone();
                    keep(inside, Inside { holds, mode, options }).map_err(|_| already_entered("follow"))?;
                    Ok(slf)
                }
                Err(error) => {
                    leave(&caller, FOLLOW, &lease, true)?;
                    Err(error.into())
                }
            }
        }

        #[pyo3(signature = (*exception: "object") -> "None")]
        fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> Result<()> {
            let inside = lock(&self.inside).take();
            let Some(inside) = inside else { return Ok(()) };
            let Following { follow, log } = &inside.holds;
            if !follow.is_own() {
                // The block was entered before a fork. It has not ended in the parent, which the client belongs to.
                std::mem::forget(inside);
                return Ok(());
            }
            let caller = Caller::of(py, inside.mode, inside.options)?.warning();
            match caller.wait(FOLLOW, async { Ok(follow.close().await?) }) {
                Err(Failure::Core(error)) => closed(py, log, Some(error), has_failed(exception)),
                Ok(()) => closed(py, log, None, false),
                result => result,
            }
        }
    }
}

followed! {
    /// Keeps this machine's address authorised for the duration of an `async with` block. `ips.follow()` of an `AsyncClient` creates it.
    AsyncFollowedIp(Awaited) {
        #[pyo3(signature = () -> "Coroutine[Any, Any, Self]")]
        fn __aenter__(slf: Py<Self>, py: Python<'_>) -> Call {
            let Self { wanted, inside } = slf.get();
            let lease = wanted.what.first(wanted.owner.clone());
            let names = ("AsyncFollowedIp.__aenter__", FOLLOW, "follow");
            let (what, owner) = (wanted.what.clone(), wanted.owner.clone());
            let call = entering(py, names, wanted, inside, lease, move |client, log, ip, unreleased| {
                let follow = Follow::on(&Handle::current(), client, what, owner, (ip, unreleased.disarm()));
                Following { follow, log }
            });
            call.returning(slf.into_any())
        }

        #[pyo3(signature = (*exception: "object") -> "Coroutine[Any, Any, None]")]
        fn __aexit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> Call {
            let quietly = has_failed(exception);
            let own = |following: &Following| following.follow.is_own();
            leaving(py, "AsyncFollowedIp.__aexit__", FOLLOW, &self.inside, own, move |_, following| async move {
                let error = following.follow.close().await.err();
                Left::Follower(following.log, error, quietly)
            })
        }
    }
}

/// The owner of an IP.
pub(crate) fn owner(username: Option<&Bound<'_, PyString>>) -> Result<Option<Username>> {
    let username = crate::input::some_text("username", username)?;
    Ok(username.map(Username::new).transpose()?)
}
