//! `client.sub_accounts`: `/api/sub/…`

use super::handle;
use crate::input::{some_text, text, whole};
use proxymesh::binding::SubAccountParts;
use pyo3::{prelude::*, types::PyString};

/// The fields that create and edit can set, named like their arguments.
macro_rules! parts {
    ($( $text:ident ),+; $( $limit:ident ),+) => {
        SubAccountParts {
            $( $text: some_text(stringify!($text), $text)?, )+
            $( $limit: $limit.map(|value| whole(stringify!($limit), value)).transpose()?, )+
        }
    };
}

handle! {
    /// Sub-accounts: create, limit, monitor, delete. Only the parent account may use these calls. From `client.sub_accounts`.
    SubAccounts, AsyncSubAccounts {
        /// Creates a sub-account: `POST /api/sub/create/`. The request is never sent twice.
        ///
        /// Args:
        ///     username: 1 to 30 letters, digits and `.` `@` `+` `-` `_`.
        ///     password: 1 to 128 characters.
        ///     first_name: At most 20 characters.
        ///     last_name: At most 20 characters.
        ///     email: At most 255 characters.
        ///     monthly_limit: Whole gigabytes that it may use per billing period; 0 means no limit.
        ///     total_limit: Whole gigabytes that it may use in total; 0 means no limit.
        ///
        /// Raises:
        ///     BadRequestError: The username is taken.
        ///     PlanLimitError: The plan does not allow more sub-accounts.
        ///     OutcomeUnknownError: No response arrived. Call `get` to find out whether it was created.
        #[pyo3(signature = (
            username: "str",
            *,
            password: "str | None" = None,
            first_name: "str | None" = None,
            last_name: "str | None" = None,
            email: "str | None" = None,
            monthly_limit: "int | None" = None,
            total_limit: "int | None" = None,
        ) -> "SubAccount")]
        fn create(py, caller, username: &Bound<'_, PyString>,
            password: Option<&Bound<'_, PyString>>,
            first_name: Option<&Bound<'_, PyString>>,
            last_name: Option<&Bound<'_, PyString>>,
            email: Option<&Bound<'_, PyString>>,
            monthly_limit: Option<&Bound<'_, PyAny>>,
            total_limit: Option<&Bound<'_, PyAny>>) {
            let parts = parts!(password, first_name, last_name, email; monthly_limit, total_limit);
            caller.sub_accounts().create(parts.create(text("username", username)?)?)
        }

        /// Changes only the given fields: `POST /api/sub/edit/`. An empty string clears a name or e-mail address.
        ///
        /// Args:
        ///     username: An existing sub-account.
        ///     password: 1 to 128 characters.
        ///     first_name: At most 20 characters.
        ///     last_name: At most 20 characters.
        ///     email: At most 255 characters.
        ///     monthly_limit: Whole gigabytes that it may use per billing period; 0 means no limit.
        ///     total_limit: Whole gigabytes that it may use in total; 0 means no limit.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (
            username: "str",
            *,
            password: "str | None" = None,
            first_name: "str | None" = None,
            last_name: "str | None" = None,
            email: "str | None" = None,
            monthly_limit: "int | None" = None,
            total_limit: "int | None" = None,
        ) -> "SubAccount")]
        fn edit(py, caller, username: &Bound<'_, PyString>,
            password: Option<&Bound<'_, PyString>>,
            first_name: Option<&Bound<'_, PyString>>,
            last_name: Option<&Bound<'_, PyString>>,
            email: Option<&Bound<'_, PyString>>,
            monthly_limit: Option<&Bound<'_, PyAny>>,
            total_limit: Option<&Bound<'_, PyAny>>) {
            let parts = parts!(password, first_name, last_name, email; monthly_limit, total_limit);
            caller.sub_accounts().edit(parts.edit(text("username", username)?)?)
        }

        /// Fetches a sub-account with its usage and limits: `GET /api/sub/get/`.
        ///
        /// Args:
        ///     username: The sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "SubAccount")]
        fn get(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().get(text("username", username)?)
        }

        /// Lets a sub-account use the proxies again: `POST /api/sub/activate/`.
        ///
        /// Args:
        ///     username: The sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "SubAccount")]
        fn activate(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().activate(text("username", username)?)
        }

        /// Stops a sub-account from using the proxies: `POST /api/sub/deactivate/`. The proxies then respond to it with 402.
        ///
        /// Args:
        ///     username: The sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "SubAccount")]
        fn deactivate(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().deactivate(text("username", username)?)
        }

        /// Deletes a sub-account permanently: `POST /api/sub/delete/`.
        ///
        /// Args:
        ///     username: The sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "None")]
        fn delete(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().delete(text("username", username)?)
        }
    }
}
