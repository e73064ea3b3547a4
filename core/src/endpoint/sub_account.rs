//! `/api/sub/…`: sub-accounts. These calls accept only the parent's credentials (docs/assumptions.md, A2).

use super::{Call, Endpoint, Finding, Found, Mismatch, Params, ReadBack, Replay, json, nothing};
use crate::model::{NewSubAccount, SubAccount, SubAccountEdit, SubAccountFields, Username};

const MISSING: &[(u16, &str)] =
    &[(403, "this is not one of your sub-accounts"), (404, "there is no such sub-account")];

/// The parameters of create and edit. Those not set are not sent (docs/assumptions.md, A9).
fn write(params: &mut Params, username: &Username, fields: &SubAccountFields) {
    params.add("username", username);
    params.add_secret("password", fields.password.as_ref());
    params.add_some("first_name", fields.first_name.as_ref());
    params.add_some("last_name", fields.last_name.as_ref());
    params.add_some("email", fields.email.as_ref());
    params.add_some("monthly_limit", fields.monthly_limit);
    params.add_some("total_limit", fields.total_limit);
}

/// `POST /api/sub/create/`
pub struct Create(pub NewSubAccount);

impl Endpoint for Create {
    type Response = SubAccount;
    const CALL: &'static Call = &Call::post("sub_accounts.create", "/api/sub/create/", Replay::Once)
        .documented(&[(402, "the plan's limit on sub-accounts has been reached")])
        .recovery_hint("check with sub_accounts.get");

    fn params(&self, params: &mut Params) {
        write(params, &self.0.username, &self.0.fields);
    }

    fn decode(body: &[u8]) -> Result<SubAccount, Mismatch> {
        json(body)
    }
}

/// `POST /api/sub/edit/`
pub struct Edit(pub SubAccountEdit);

impl Endpoint for Edit {
    type Response = SubAccount;
    const CALL: &'static Call = &Call::post("sub_accounts.edit", "/api/sub/edit/", Replay::Idempotent)
        .recovery_hint("check with sub_accounts.get")
        .documented(MISSING);

    fn params(&self, params: &mut Params) {
        write(params, &self.0.username, &self.0.fields);
    }

    fn decode(body: &[u8]) -> Result<SubAccount, Mismatch> {
        json(body)
    }
}

/// `GET /api/sub/get/`
pub struct Get(pub Username);

impl Endpoint for Get {
    type Response = SubAccount;
    const CALL: &'static Call = &Call::get("sub_accounts.get", "/api/sub/get/").documented(MISSING);

    fn params(&self, params: &mut Params) {
        params.add("username", &self.0);
    }

    fn decode(body: &[u8]) -> Result<SubAccount, Mismatch> {
        json(body)
    }
}

/// `POST /api/sub/deactivate/`
pub struct Deactivate(pub Username);

impl Endpoint for Deactivate {
    type Response = SubAccount;
    const CALL: &'static Call =
        &Call::post("sub_accounts.deactivate", "/api/sub/deactivate/", Replay::Idempotent)
            .recovery_hint("check with sub_accounts.get")
            .documented(MISSING);

    fn params(&self, params: &mut Params) {
        params.add("username", &self.0);
    }

    fn decode(body: &[u8]) -> Result<SubAccount, Mismatch> {
        json(body)
    }
}

/// `POST /api/sub/activate/`
pub struct Activate(pub Username);

impl Endpoint for Activate {
    type Response = SubAccount;
    const CALL: &'static Call =
        &Call::post("sub_accounts.activate", "/api/sub/activate/", Replay::Idempotent)
            .recovery_hint("check with sub_accounts.get")
            .documented(MISSING);

    fn params(&self, params: &mut Params) {
        params.add("username", &self.0);
    }

    fn decode(body: &[u8]) -> Result<SubAccount, Mismatch> {
        json(body)
    }
}

/// `POST /api/sub/delete/`
pub struct Delete(pub Username);

impl Endpoint for Delete {
    type Response = ();
    const CALL: &'static Call = &Call::post("sub_accounts.delete", "/api/sub/delete/", Replay::Verifiable)
        .documented(MISSING)
        .already_applied(&[404])
        .recovery_hint("check with sub_accounts.get");

    fn params(&self, params: &mut Params) {
        params.add("username", &self.0);
    }

    fn decode(body: &[u8]) -> Result<(), Mismatch> {
        nothing(body)
    }

    fn read_back(&self) -> Option<ReadBack<()>> {
        ReadBack::with(&Get(self.0.clone()), |found| match found {
            Found::Nothing => Finding::Confirmed(()),
            Found::Response(_) => Finding::Refuted,
        })
    }
}
