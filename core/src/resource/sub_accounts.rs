//! `/api/sub/…`

use super::Dispatch;
use crate::{
    endpoint::sub_account::{Activate, Create, Deactivate, Delete, Edit, Get},
    error::Error,
    model::{NewSubAccount, SubAccount, SubAccountEdit, Username},
};

/// Sub-accounts. Only the parent account may make these calls.
#[derive(Clone, Debug)]
pub struct SubAccounts<'a, D> {
    via: &'a D,
}

impl<'a, D: Dispatch> SubAccounts<'a, D> {
    /// Creates a handle that sends its calls with `via`.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// Creates a sub-account: `POST /api/sub/create/`. Takes a [`NewSubAccount`], or only a username.
    ///
    /// If the response is lost, the request is not sent again. The error is then [`Error::OutcomeUnknown`]. Call
    /// [`get`](Self::get) to find out whether the sub-account was created.
    ///
    /// Errors: [`Error::BadRequest`] if the username is taken, [`Error::PlanLimit`] if the plan does not allow more
    /// sub-accounts.
    pub fn create<N>(&self, new: N) -> D::Reply<SubAccount>
    where
        N: TryInto<NewSubAccount>,
        Error: From<N::Error>,
    {
        self.via.dispatch(new.try_into().map_err(Error::from).map(Create))
    }

    /// Changes only the fields that are set in the [`SubAccountEdit`]: `POST /api/sub/edit/`. An empty string clears a name or
    /// the email address.
    ///
    /// Errors: [`Error::NotFound`] if there is no such sub-account, [`Error::PermissionDenied`] if it is not yours.
    pub fn edit(&self, edit: SubAccountEdit) -> D::Reply<SubAccount> {
        self.via.dispatch(Ok(Edit(edit)))
    }

    /// Gets a sub-account with its usage and limits: `GET /api/sub/get/`.
    ///
    /// Errors: [`Error::NotFound`] if there is no such sub-account, [`Error::PermissionDenied`] if it is not yours.
    pub fn get<U>(&self, username: U) -> D::Reply<SubAccount>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Get))
    }

    /// Lets a deactivated sub-account use the proxies again: `POST /api/sub/activate/`.
    ///
    /// Errors: [`Error::NotFound`] if there is no such sub-account, [`Error::PermissionDenied`] if it is not yours.
    pub fn activate<U>(&self, username: U) -> D::Reply<SubAccount>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Activate))
    }

    /// Stops a sub-account from using the proxies: `POST /api/sub/deactivate/`. The proxies then respond to it with 402.
    ///
    /// Errors: [`Error::NotFound`] if there is no such sub-account, [`Error::PermissionDenied`] if it is not yours.
    pub fn deactivate<U>(&self, username: U) -> D::Reply<SubAccount>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Deactivate))
    }

    /// Deletes a sub-account permanently: `POST /api/sub/delete/`.
    ///
    /// Errors: [`Error::NotFound`] if there is no such sub-account, [`Error::PermissionDenied`] if it is not yours.
    pub fn delete<U>(&self, username: U) -> D::Reply<()>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Delete))
    }
}
