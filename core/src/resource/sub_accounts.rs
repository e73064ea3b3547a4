//! `/api/sub/…`

use super::Dispatch;
use crate::{
    endpoint::sub_account::{Activate, Create, Deactivate, Delete, Edit, Get},
    error::Error,
    model::{NewSubAccount, SubAccount, SubAccountEdit, Username},
};

/// Sub-accounts: create, limit, watch, delete. For the parent account only.
#[derive(Clone, Debug)]
pub struct SubAccounts<'a, D> {
    via: &'a D,
}

impl<'a, D: Dispatch> SubAccounts<'a, D> {
    /// The handle for a client.
    pub fn new(via: &'a D) -> Self {
        Self { via }
    }

    /// Creates a sub-account: `POST /api/sub/create/`. Takes a [`NewSubAccount`], or only a username.
    ///
    /// It is never sent twice. If the response is lost, the error is [`Error::OutcomeUnknown`]; use [`get`](Self::get)
    /// to find out.
    ///
    /// Errors: [`Error::BadRequest`] for a username that is taken, [`Error::PlanLimit`] when the plan allows no more.
    pub fn create<N>(&self, new: N) -> D::Reply<SubAccount>
    where
        N: TryInto<NewSubAccount>,
        Error: From<N::Error>,
    {
        self.via.dispatch(new.try_into().map_err(Error::from).map(Create))
    }

    /// Changes only the fields that are set in the [`SubAccountEdit`]: `POST /api/sub/edit/`.
    ///
    /// Errors: [`Error::NotFound`], or [`Error::PermissionDenied`] when the sub-account is not yours.
    pub fn edit(&self, edit: SubAccountEdit) -> D::Reply<SubAccount> {
        self.via.dispatch(Ok(Edit(edit)))
    }

    /// A sub-account with its usage and limits: `GET /api/sub/get/`.
    ///
    /// Errors: [`Error::NotFound`], or [`Error::PermissionDenied`] when the sub-account is not yours.
    pub fn get<U>(&self, username: U) -> D::Reply<SubAccount>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Get))
    }

    /// Reactivates a sub-account, so that it may use the proxies: `POST /api/sub/activate/`.
    ///
    /// Errors: [`Error::NotFound`], or [`Error::PermissionDenied`] when the sub-account is not yours.
    pub fn activate<U>(&self, username: U) -> D::Reply<SubAccount>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Activate))
    }

    /// Deactivates a sub-account. The proxies then respond to it with 402: `POST /api/sub/deactivate/`.
    ///
    /// Errors: [`Error::NotFound`], or [`Error::PermissionDenied`] when the sub-account is not yours.
    pub fn deactivate<U>(&self, username: U) -> D::Reply<SubAccount>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Deactivate))
    }

    /// Deletes a sub-account permanently: `POST /api/sub/delete/`.
    ///
    /// Errors: [`Error::NotFound`], or [`Error::PermissionDenied`] when the sub-account is not yours.
    pub fn delete<U>(&self, username: U) -> D::Reply<()>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        self.via.dispatch(username.try_into().map_err(Error::from).map(Delete))
    }
}
